import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { BrokerHoldError } from '../../domain/errors/errors.ts';

/**
 * What the secret of an `mqtt` cluster may hold: `username` (and `password`), `cert` with `key`, `ca`; all optional. PEM
 * texts; `ca` replaces the roots that Node trusts.
 */
export interface MqttSecret {
  username?: string;
  password?: string;
  cert?: string;
  key?: string;
  ca?: string;
}

const MEMBERS = ['username', 'password', 'cert', 'key', 'ca'] as const;

/**
 * Reads the members of the secret, as `SecretReader` gives them. Throws `BrokerHoldError` (`SECRET_INVALID`) for half a
 * pair, for PEM that OpenSSL cannot read and for a secret of something else; never quotes a value.
 */
export function parseMqttSecret(members: Readonly<Record<string, string>>): MqttSecret {
  const secret: MqttSecret = {};
  for (const member of MEMBERS) {
    const value = members[member];
    if (value !== undefined) secret[member] = value;
  }
  const fault = faultOf(secret, Object.keys(members).length);
  if (fault === undefined) return secret;
  throw new BrokerHoldError(`the secret of the cluster ${fault}`, {
    code: 'SECRET_INVALID',
    scope: 'cluster',
    hint: 'The secret may hold "username" and "password", "cert" and "key" (PEM, one belonging to the other), "ca" (PEM).',
  });
}

function faultOf(secret: MqttSecret, memberCount: number): string | undefined {
  const { username, password, cert, key, ca } = secret;
  if (memberCount > 0 && Object.keys(secret).length === 0)
    return 'holds nothing that an MQTT broker asks for';
  if (password !== undefined && username === undefined) return 'holds a password without a user name';
  if ((cert === undefined) !== (key === undefined)) return 'holds half of a certificate and its key';
  return cert === undefined && ca === undefined ? undefined : pemFault(secret);
}

function pemFault({ cert, key, ca }: MqttSecret): string | undefined {
  try {
    // A secure context takes a `ca` that is no certificate for an empty list.
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    return undefined;
  } catch {
    // OpenSSL's error is left out: where it comes from a parser it may name what it read.
    return 'holds a certificate or key that cannot be read, or that do not belong together';
  }
}

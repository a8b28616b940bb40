import { BrokerHoldError } from '../../domain/errors/errors.ts';
import type { RocketmqCredentials } from './metadata.ts';

/** What the secret of a `rocketmq` cluster may hold: `accessKey` and `secretKey`, `securityToken`, `ca`; all optional. */
export interface ClusterSecret {
  credentials?: RocketmqCredentials;
  /** PEM of a private CA. */
  ca?: string;
}

/** Throws `BrokerHoldError` (`SECRET_INVALID`) when only half of the key pair is there; never quotes a value. */
export function parseClusterSecret(members: Readonly<Record<string, string>>): ClusterSecret {
  const { accessKey, secretKey, securityToken, ca } = members;
  if ((accessKey === undefined) !== (secretKey === undefined)) {
    throw new BrokerHoldError('the secret of the cluster holds half of a key pair', {
      code: 'SECRET_INVALID',
      scope: 'cluster',
      hint: 'Give the secret both members, "accessKey" and "secretKey", or neither.',
    });
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : { credentials: { accessKey, secretKey, ...(securityToken === undefined ? {} : { securityToken }) } }),
  };
}

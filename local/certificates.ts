import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** PEM texts; the key as PKCS#8. */
export interface KeyAndCertificate {
  certificate: string;
  privateKey: string;
}

export interface CertificateAuthority extends KeyAndCertificate {
  /** A server's certificate, valid for these DNS names and IPv4 addresses. */
  issue(names: readonly string[]): KeyAndCertificate;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** ASN.1 tags. */
const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const BOOLEAN_TRUE = Buffer.from([0x01, 0x01, 0xff]);

// Content octets of the object identifiers in use.
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALT_NAME = '551d11';
const KEY_USAGE = '551d0f';

/**
 * A private certificate authority that lives as long as the object. For tests and the local stack: X.509 v3 by RFC 5280,
 * P-256 keys, valid for one day.
 */
export function createCertificateAuthority(commonName = 'mqferry local CA'): CertificateAuthority {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = createCertificate({
    subject: commonName,
    issuer: commonName,
    publicKey: authority.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, der(SEQUENCE, BOOLEAN_TRUE), { critical: true }),
      // keyCertSign, cRLSign.
      extension(KEY_USAGE, der(BIT_STRING, Buffer.from([0x01, 0x06])), { critical: true }),
    ],
  });
  return {
    certificate,
    privateKey: pem(authority.privateKey),
    issue(names) {
      const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return {
        certificate: createCertificate({
          subject: names[0] ?? 'localhost',
          issuer: commonName,
          publicKey: server.publicKey,
          signer: authority.privateKey,
          extensions: [extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names.map(generalName)))],
        }),
        privateKey: pem(server.privateKey),
      };
    },
  };
}

function createCertificate(content: {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  signer: KeyObject;
  extensions: Buffer[];
}): string {
  const algorithm = der(SEQUENCE, objectIdentifier(ECDSA_WITH_SHA256));
  const now = Date.now();
  const toBeSigned = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    // Positive and not zero-padded.
    der(INTEGER, Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    distinguishedName(content.issuer),
    der(SEQUENCE, time(now - DAY_MS), time(now + DAY_MS)),
    distinguishedName(content.subject),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...content.extensions)),
  );
  const signature = sign('sha256', toBeSigned, content.signer);
  const certificate = der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  if (bytes < 0x1_00) return Buffer.from([0x81, bytes]);
  return Buffer.from([0x82, bytes >> 8, bytes & 0xff]);
}

function objectIdentifier(hex: string): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(hex, 'hex'));
}

function extension(identifier: string, value: Buffer, { critical = false } = {}): Buffer {
  const flag = critical ? BOOLEAN_TRUE : Buffer.alloc(0);
  return der(SEQUENCE, objectIdentifier(identifier), flag, der(OCTET_STRING, value));
}

function distinguishedName(commonName: string): Buffer {
  return der(
    SEQUENCE,
    der(SET, der(SEQUENCE, objectIdentifier(COMMON_NAME), der(UTF8_STRING, Buffer.from(commonName)))),
  );
}

/** GeneralName: an iPAddress [7] or a dNSName [2]. */
function generalName(name: string): Buffer {
  return isIPv4(name)
    ? der(0x87, Buffer.from(name.split('.').map(Number)))
    : der(0x82, Buffer.from(name, 'ascii'));
}

function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(GENERALIZED_TIME, Buffer.from(digits, 'ascii'));
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

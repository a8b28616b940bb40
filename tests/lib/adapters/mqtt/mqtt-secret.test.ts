import { describe, expect, it } from '@jest/globals';
import { parseMqttSecret } from '../../../../lib/adapters/mqtt/mqtt-secret.ts';
import { BridgeError } from '../../../../lib/domain/errors/errors.ts';
import { createCertificateAuthority } from '../../../../local/certificates.ts';

const authority = createCertificateAuthority();
const client = authority.issue(['client']);
const other = authority.issue(['other']);

describe('parseMqttSecret', () => {
  it.each([
    ['nothing', {}],
    ['a user', { username: 'factory', password: 'hush' }],
    ['a user without password, as for tokens', { username: 'token' }],
    ['a certificate', { cert: client.certificate, key: client.privateKey, ca: authority.certificate }],
    ['a private CA', { ca: authority.certificate }],
  ])('takes %s', (_, members) => {
    expect(parseMqttSecret(members)).toEqual(members);
  });

  it('leaves out what is not for a broker', () => {
    expect(parseMqttSecret({ username: 'factory', note: 'rotated' })).toEqual({ username: 'factory' });
  });

  it.each([
    ['a password alone', { password: 'hush' }],
    ['a certificate without its key', { cert: client.certificate }],
    ['a key without its certificate', { key: 'hush' }],
    ['a key of another certificate', { cert: client.certificate, key: other.privateKey }],
    ['a CA that is no PEM', { ca: 'hush' }],
    ['a secret of something else', { accessKey: 'hush', secretKey: 'hush' }],
  ])('refuses %s, and quotes no value', (_, members: Record<string, string>) => {
    const thrown = errorOf(() => parseMqttSecret(members));
    expect(thrown).toMatchObject({ code: 'SECRET_INVALID', reaction: 'hold', scope: 'cluster' });
    expect(`${thrown.message} ${thrown.hint} ${thrown.cause}`).not.toMatch(/hush|BEGIN/);
  });
});

function errorOf(call: () => unknown): BridgeError {
  try {
    call();
  } catch (error) {
    if (error instanceof BridgeError) return error;
  }
  throw new Error('no BridgeError was thrown');
}

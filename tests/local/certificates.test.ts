import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '../../local/certificates.ts';

const authority = createCertificateAuthority('Test CA');
const server = authority.issue(['localhost', '127.0.0.1']);

/** Connects to a server with `server`'s certificate, as a client that checks it. */
async function handshake(ca: string, servername: string): Promise<void> {
  const listener = createServer({ cert: server.certificate, key: server.privateKey });
  listener.on('tlsClientError', () => undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const socket = connect({
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    ca,
    servername,
  });
  try {
    await once(socket, 'secureConnect');
  } finally {
    socket.destroy();
    listener.close();
  }
}

describe('createCertificateAuthority', () => {
  it('is a CA that signed itself', () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  it('issues a certificate for names and addresses', () => {
    const certificate = new X509Certificate(server.certificate);
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(certificate.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
  });

  it('gives the key as PKCS#8', () => {
    expect(server.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('is trusted by a client that trusts the authority', async () => {
    await expect(handshake(authority.certificate, 'localhost')).resolves.toBeUndefined();
  });

  it('is refused for another name', async () => {
    await expect(handshake(authority.certificate, 'elsewhere.example')).rejects.toThrow(/altnames/i);
  });

  it('is refused by a client that trusts another authority', async () => {
    await expect(
      handshake(createCertificateAuthority('Other CA').certificate, 'localhost'),
    ).rejects.toThrow();
  });
});

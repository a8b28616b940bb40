import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MqttSecret } from '../../../lib/adapters/mqtt/mqtt-secret.ts';
import { createCertificateAuthority } from '../../../local/certificates.ts';
import { describeMqttPublisher } from '../../contract/mqtt-publisher.ts';
import { startTlsRelay, type TlsRelay } from '../../helpers/tls-relay.ts';
import { openPublisher, publisherUnderTest, startTestBroker } from './test-broker.ts';

const authority = createCertificateAuthority();
const stranger = createCertificateAuthority('somebody else');
const server = authority.issue(['127.0.0.1']);
const misnamed = authority.issue(['broker.example']);
const client = authority.issue(['client']);
const { certificate: ca } = authority;
const clientCertificate = { cert: client.certificate, key: client.privateKey };

let broker: Awaited<ReturnType<typeof startTestBroker>>;
let relays: Record<'plain' | 'mutual' | 'misnamed' | 'websocket', TlsRelay>;

beforeAll(async () => {
  broker = await startTestBroker();
  const [port, websocketPort] = [broker.url, broker.websocketUrl].map((url) => Number(new URL(url).port));
  const identity = { cert: server.certificate, key: server.privateKey };
  relays = {
    plain: await startTlsRelay(port ?? 0, identity),
    mutual: await startTlsRelay(port ?? 0, { ...identity, ca, requestCert: true, rejectUnauthorized: true }),
    misnamed: await startTlsRelay(port ?? 0, { cert: misnamed.certificate, key: misnamed.privateKey }),
    websocket: await startTlsRelay(websocketPort ?? 0, identity),
  };
}, 180_000);
afterAll(async () => {
  for (const relay of Object.values(relays)) await relay.close();
  await broker.stop();
});

const user = () => ({ username: broker.username, password: broker.password });
const under = (url: () => string, secret: MqttSecret) => () =>
  publisherUnderTest({
    publish: { url: url(), secret: { ...user(), ...secret } },
    subscribe: { url: broker.url, options: user() },
  });

describeMqttPublisher(
  'HiveMQ over TLS with a private CA and a client certificate',
  under(() => `mqtts://127.0.0.1:${relays.mutual.port}`, { ca, ...clientCertificate }),
);
describeMqttPublisher(
  'HiveMQ over a websocket with TLS and a private CA',
  under(() => `wss://127.0.0.1:${relays.websocket.port}/mqtt`, { ca }),
);

describe('MqttBrokerPublisher where TLS fails', () => {
  it.each<[string, () => string, MqttSecret, string, string]>([
    ['a CA that nobody knows', () => secure('plain'), {}, 'hold', 'TLS_UNTRUSTED'],
    ['another CA', () => secure('plain'), { ca: stranger.certificate }, 'hold', 'TLS_UNTRUSTED'],
    ['a certificate for another name', () => secure('misnamed'), { ca }, 'hold', 'TLS_UNTRUSTED'],
    ['no client certificate', () => secure('mutual'), { ca }, 'hold', 'CREDENTIALS_REFUSED'],
    [
      'a port without TLS, asked with',
      () => broker.url.replace('mqtt:', 'mqtts:'),
      { ca },
      'retry',
      'CONNECT_UNANSWERED',
    ],
    [
      'a port with TLS, asked without',
      () => `mqtt://127.0.0.1:${relays.plain.port}`,
      {},
      'retry',
      'CONNECT_UNANSWERED',
    ],
    [
      'a CA that nobody knows, over a websocket',
      () => `wss://127.0.0.1:${relays.websocket.port}/mqtt`,
      {},
      'hold',
      'TLS_UNTRUSTED',
    ],
  ])('says so of %s', async (_, url, secret, reaction, code) => {
    const publisher = openPublisher({ url: url(), secret: { ...user(), ...secret } });
    await expect(publisher.check(Date.now() + 10_000)).rejects.toMatchObject({ reaction, code });
    await publisher.close();
  });

  const secure = (relay: 'plain' | 'mutual' | 'misnamed') => `mqtts://127.0.0.1:${relays[relay].port}`;
});

import { describe, expect, it } from '@jest/globals';
import { mqttClientOptions } from '../../../../lib/adapters/mqtt/client-options.ts';

const optionsOf = (url: string, secret = {}) =>
  mqttClientOptions({ url }, secret, { clientId: 'mqferry-1', protocolVersion: 5 }).options;
const certificate = { cert: 'cert', key: 'key', ca: 'ca' };

describe('mqttClientOptions', () => {
  it.each([
    ['mqtt://broker.example', 1883],
    ['mqtts://broker.example', 8883],
    ['ws://broker.example/mqtt', 80],
    ['wss://broker.example/mqtt', 443],
    ['wss://broker.example:443/mqtt', 443],
    ['mqtt://broker.example:1884', 1884],
  ])('connects to the port of %s', (url, port) => {
    expect(optionsOf(url).port).toBe(port);
  });

  it('never connects by itself, and keeps nothing for a later connection', () => {
    expect(optionsOf('mqtt://broker.example')).toMatchObject({
      manualConnect: true,
      reconnectPeriod: 0,
      clean: true,
      resubscribe: false,
      queueQoSZero: false,
    });
  });

  it.each(['mqtts://broker.example', 'wss://broker.example/mqtt'])(
    'verifies the certificate of %s',
    (url) => {
      expect(optionsOf(url, certificate)).toMatchObject({ rejectUnauthorized: true, ...certificate });
    },
  );

  it('leaves the CA out where there is no TLS', () => {
    expect(optionsOf('mqtt://broker.example', { ca: 'ca', username: 'u', password: 'p' })).toMatchObject({
      username: 'u',
      password: 'p',
    });
    expect(optionsOf('mqtt://broker.example', { ca: 'ca' })).not.toHaveProperty('ca');
  });

  it('refuses a client certificate for an address without TLS', () => {
    expect(() => optionsOf('mqtt://broker.example', certificate)).toThrow(
      expect.objectContaining({ code: 'TLS_MISMATCH', reaction: 'hold' }),
    );
  });

  it('keeps our client identifier whatever the address says', () => {
    expect(optionsOf('ws://broker.example/mqtt?clientId=theirs')).toMatchObject({
      clientId: 'mqferry-1',
      query: {},
    });
  });
});

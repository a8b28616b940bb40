import { describe, expect, it } from '@jest/globals';
import { createMemorySecretReader } from '../../../../lib/adapters/memory/secret-reader.ts';
import { createSessionAddresses } from '../../../../lib/adapters/mqtt/session-address.ts';

const secretRef = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:factory';
const common = { name: 'x', region: 'eu-west-1', clusterId: 'x', version: 1, createdAt: '', updatedAt: '' };
const factory = { ...common, kind: 'mqtt', url: 'mqtt://broker.example' } as const;
const devices = { ...common, kind: 'aws-iot' } as const;
const client = { clientId: 'mqferry-1', protocolVersion: 5, fresh: true } as const;

const secrets = createMemorySecretReader({ [secretRef]: '{"username":"u","password":"p"}' });
const addressOf = createSessionAddresses({
  secrets,
  awsIot: {
    sign: async (region) => ({ url: `wss://iot.${region}/mqtt?signed`, headers: { Host: 'host' } }),
  },
});

describe('createSessionAddresses', () => {
  it('takes record and secret of a broker, the secret anew when that is asked', async () => {
    const { url, options } = await addressOf({ ...factory, secretRef }, client);
    expect(url).toBe(factory.url);
    expect(options).toMatchObject({
      clientId: 'mqferry-1',
      username: 'u',
      password: 'p',
      protocolVersion: 5,
    });
    expect(secrets.reads).toEqual([{ secretRef, fresh: true }]);
  });

  it('needs no secret where there is none', async () => {
    const { options } = await addressOf(factory, client);
    expect(options).not.toHaveProperty('username');
  });

  it('takes the signed websocket of AWS IoT Core', async () => {
    const { url, options } = await addressOf(devices, client);
    expect(url).toBe('wss://iot.eu-west-1/mqtt?signed');
    expect(options).toMatchObject({ clientId: 'mqferry-1', wsOptions: { headers: { Host: 'host' } } });
  });
});

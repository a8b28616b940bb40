import { describe, expect, it } from '@jest/globals';
import { createAwsIotWebsocket } from '../../../../lib/adapters/aws-iot/websocket.ts';

const endpoints = { hostOf: async (region: string) => `abc-ats.iot.${region}.amazonaws.com` };
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

describe('createAwsIotWebsocket', () => {
  it('signs for the gateway of the region, and appends the session token behind the signature', async () => {
    const websocket = createAwsIotWebsocket({
      endpoints,
      credentials: async () => ({ ...credentials, sessionToken: 'token/+=' }),
    });
    const { url, headers } = await websocket.sign('eu-west-1');
    const { protocol, host, pathname, searchParams } = new URL(url);
    expect([protocol, host, pathname]).toEqual(['wss:', 'abc-ats.iot.eu-west-1.amazonaws.com', '/mqtt']);
    expect(searchParams.get('X-Amz-Credential')).toMatch(
      /^AKIDEXAMPLE\/\d{8}\/eu-west-1\/iotdevicegateway\/aws4_request$/,
    );
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    const names = [...searchParams.keys()];
    expect(names.indexOf('X-Amz-Security-Token')).toBeGreaterThan(names.indexOf('X-Amz-Signature'));
    expect(searchParams.get('X-Amz-Security-Token')).toBe('token/+=');
    expect(headers).toBeUndefined();
    expect(url).not.toContain(credentials.secretAccessKey);
  });

  it('asks for credentials each time: a role has new ones every hour', async () => {
    let asked = 0;
    const websocket = createAwsIotWebsocket({
      endpoints,
      credentials: async () => {
        asked += 1;
        return credentials;
      },
    });
    await websocket.sign('eu-west-1');
    await websocket.sign('eu-west-1');
    expect(asked).toBe(2);
  });

  it('opens no signed websocket on an emulator, which wants the host in a header', async () => {
    const websocket = createAwsIotWebsocket({ endpoints, emulatorUrl: 'http://127.0.0.1:4566' });
    expect(await websocket.sign('eu-west-1')).toEqual({
      url: 'ws://127.0.0.1:4566/mqtt',
      headers: { Host: 'abc-ats.iot.eu-west-1.amazonaws.com' },
    });
  });

  it('holds when there are no credentials', async () => {
    const websocket = createAwsIotWebsocket({
      endpoints,
      credentials: () => Promise.reject(new Error('no provider')),
    });
    await expect(websocket.sign('eu-west-1')).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      reaction: 'hold',
    });
  });
});

import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mqttClientOptions } from '../../../../lib/adapters/mqtt/client-options.ts';
import { openConnection } from '../../../../lib/adapters/mqtt/connection.ts';
import { createSessionAddresses } from '../../../../lib/adapters/mqtt/session-address.ts';
import {
  assertAllowedHost,
  checkHost,
  guardAddresses,
  guardedLookup,
} from '../../../../lib/adapters/network/address-guard.ts';
import { createProxies } from '../../../../lib/adapters/rocketmq/proxies.ts';
import { remotingCall } from '../../../../lib/adapters/rocketmq-admin/remoting-call.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import type { Cluster } from '../../../../lib/domain/clusters/cluster.ts';

const NOT_ALLOWED = { code: 'ADDRESS_NOT_ALLOWED', reaction: 'hold', scope: 'cluster' };
/** Stands for what must not be reached: it notes who comes. */
let server: Server;
let port: number;
let visits = 0;
beforeAll(async () => {
  server = createServer((_, response) => response.end('secret'));
  server.on('connection', () => {
    visits += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  visits = 0;
  guardAddresses({ allowLocal: false });
});
afterEach(() => guardAddresses({ allowLocal: true }));

const cluster = (url: string) =>
  ({ clusterId: 'c', kind: 'mqtt', name: 'C', region: 'eu-west-1', url }) as Extract<
    Cluster,
    { kind: 'mqtt' }
  >;
const IGNORED = { onOpen() {}, onPacket() {}, onRoom() {}, onClosed() {} };
const client = { clientId: 'mqferry-1', protocolVersion: 5 } as const;

describe('guarded addresses', () => {
  it.each(['127.0.0.1', 'localhost', '169.254.169.254', '2130706433'])(
    'are not called by gRPC: %s',
    async (host) => {
      const proxies = createProxies({ tls: false, namespace: '', clock: systemClock });
      const call = proxies.unary(`${host}:${port}`, 'QueryRoute', Buffer.alloc(0), {
        deadlineMs: Date.now() + 2_000,
      });
      await expect(call).rejects.toMatchObject(NOT_ALLOWED);
      expect(() => proxies.duplex(`${host}:${port}`, 'Telemetry', 'c')).toThrow(
        expect.objectContaining(NOT_ALLOWED),
      );
      proxies.close();
      expect(visits).toBe(0);
    },
  );

  it.each(['127.0.0.1', 'localhost', '[::1]'])('are not called by remoting: %s', async (host) => {
    await expect(remotingCall(`${host}:${port}`, { code: 1 })).rejects.toMatchObject(NOT_ALLOWED);
    expect(visits).toBe(0);
  });

  it.each(['mqtt://127.0.0.1', 'ws://localhost', 'ws://0x7f.1', 'mqtts://169.254.169.254'])(
    'are not called by MQTT: %s',
    async (url) => {
      expect(() => mqttClientOptions(cluster(url), {}, client)).toThrow(expect.objectContaining(NOT_ALLOWED));
      const secrets = { read: async () => ({}) };
      const addressOf = createSessionAddresses({ secrets, awsIot: { sign: async () => ({ url }) } });
      await expect(addressOf(cluster(url), { ...client, fresh: false })).rejects.toMatchObject(NOT_ALLOWED);
    },
  );

  it('are not reached by a websocket whose name is changed between look and connection', async () => {
    const { options } = mqttClientOptions(cluster('ws://broker.example/mqtt'), {}, client);
    // As if broker.example now led here: the name that the operating system resolves to this machine.
    const url = `ws://localhost:${port}/mqtt`;
    const connection = openConnection(
      { url, options: { ...options, port } },
      IGNORED,
      AbortSignal.timeout(5_000),
    );
    await expect(connection).rejects.toThrow();
    expect(visits).toBe(0);
  });

  it('leave all others alone', async () => {
    for (const host of ['10.0.3.7', 'rmq.example', '203.0.113.1'])
      expect(() => assertAllowedHost(host)).not.toThrow();
    await expect(checkHost('10.0.3.7')).resolves.toBeUndefined();
    await expect(checkHost('no-such-host.invalid')).resolves.toBeUndefined();
  });

  it('are as reachable as others on the local stack', async () => {
    guardAddresses({ allowLocal: true });
    expect(guardedLookup()).toEqual({});
    expect(checkHost('127.0.0.1')).toBeUndefined();
    expect(() => assertAllowedHost('169.254.169.254')).not.toThrow();
  });
});

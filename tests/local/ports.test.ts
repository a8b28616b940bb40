import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  areFree,
  chooseFreePorts,
  choosePorts,
  freePort,
  freeRocketmqPorts,
  takenPorts,
  USUAL_PORTS,
} from '../../local/ports.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
});

async function listen(port: number, host: string): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  servers.push(server);
}

describe('areFree', () => {
  it('is true for a port nobody listens on', async () => {
    expect(await areFree(await freePort())).toBe(true);
  });

  it.each(['127.0.0.1', '0.0.0.0'])('is false when somebody listens on %s', async (host) => {
    const port = await freePort();
    await listen(port, host);
    expect(await areFree(port)).toBe(false);
  });

  it('is false when one of several is taken', async () => {
    const port = await freePort([1]);
    await listen(port + 1, '127.0.0.1');
    expect(await areFree(port, port + 1)).toBe(false);
  });
});

describe('freePort', () => {
  it('lies below the ports of outgoing connections', async () => {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  });

  it('leaves room for the neighbours', async () => {
    const port = await freePort([-2, 1]);
    expect(await areFree(port - 2, port, port + 1)).toBe(true);
  });
});

describe('freeRocketmqPorts', () => {
  it('gives every listener a port of its own', async () => {
    const { grpc, proxyRemoting, nameServer, broker } = await freeRocketmqPorts();
    const all = [grpc, proxyRemoting, nameServer, broker - 2, broker, broker + 1];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('choosePorts', () => {
  it('says which port moved and where to when the usual one is taken', async () => {
    if (await areFree(USUAL_PORTS.mqtt)) await listen(USUAL_PORTS.mqtt, '127.0.0.1');
    const { ports, moved } = await choosePorts();
    expect(ports.mqtt).not.toBe(USUAL_PORTS.mqtt);
    expect(moved).toContain(`MQTT broker: port 1883 is taken, using ${ports.mqtt}`);
  });

  it("moves the broker when only a neighbour's port is taken", async () => {
    const replication = USUAL_PORTS.rocketmq.broker + 1;
    if (await areFree(replication)) await listen(replication, '127.0.0.1');
    const { ports } = await choosePorts();
    expect(ports.rocketmq.broker).not.toBe(USUAL_PORTS.rocketmq.broker);
  });
});

describe('takenPorts', () => {
  it('names the ports of a stack that somebody took meanwhile', async () => {
    const { ports } = await chooseFreePorts();
    expect(await takenPorts(ports)).toEqual([]);
    await listen(ports.rocketmq.broker + 1, '127.0.0.1');
    await listen(ports.aws, '127.0.0.1');
    expect(await takenPorts(ports)).toEqual([ports.rocketmq.broker + 1, ports.aws]);
  });
});

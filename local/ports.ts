import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports of one RocketMQ; the broker also binds `broker - 2` (its second listener) and `broker + 1` (replication). */
export interface RocketmqPorts {
  grpc: number;
  /** The proxy's listener for remoting clients, which nothing here uses but which cannot be turned off. */
  proxyRemoting: number;
  nameServer: number;
  broker: number;
}

export interface StackPorts {
  rocketmq: RocketmqPorts;
  mqtt: number;
  aws: number;
}

/** Where everybody expects them. */
export const USUAL_PORTS: StackPorts = {
  rocketmq: { grpc: 8081, proxyRemoting: 8080, nameServer: 9876, broker: 10911 },
  mqtt: 1883,
  aws: 4566,
};

// Below the ports that the system hands out to outgoing connections: one of those could take a port between our look
// and the part's own bind.
const LOWEST_FREE = 20_000;
const HIGHEST_FREE = 32_000;
const ATTEMPTS = 200;

/** Whether a part could listen on all of these ports, on the loopback interface and on all. */
export async function areFree(...ports: number[]): Promise<boolean> {
  for (const port of ports) {
    if (!(await canListen(port, '127.0.0.1')) || !(await canListen(port, '0.0.0.0'))) return false;
  }
  return true;
}

/** A free port, with these distances from it free too. */
export async function freePort(neighbours: readonly number[] = []): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = LOWEST_FREE + Math.floor(Math.random() * (HIGHEST_FREE - LOWEST_FREE));
    if (await areFree(port, ...neighbours.map((distance) => port + distance))) return port;
  }
  throw new Error(`no free port between ${LOWEST_FREE} and ${HIGHEST_FREE} after ${ATTEMPTS} attempts`);
}

/** Free ports for one RocketMQ, away from the usual ones: for tests, several of which may run side by side. */
export async function freeRocketmqPorts(): Promise<RocketmqPorts> {
  const broker = await freePort(BROKER_NEIGHBOURS);
  return {
    broker,
    nameServer: await freePort(),
    grpc: await freePort(),
    proxyRemoting: await freePort(),
  };
}

/** Which ports of a stack somebody listens on. */
export async function takenPorts({ rocketmq, mqtt, aws }: StackPorts): Promise<number[]> {
  const { grpc, proxyRemoting, nameServer, broker } = rocketmq;
  const all = [
    grpc,
    proxyRemoting,
    nameServer,
    broker,
    ...BROKER_NEIGHBOURS.map((distance) => broker + distance),
    mqtt,
    aws,
  ];
  const taken: number[] = [];
  for (const port of all) if (!(await areFree(port))) taken.push(port);
  return taken;
}

/** Free ports for a stack beside another. */
export async function chooseFreePorts(): Promise<{ ports: StackPorts; moved: string[] }> {
  const ports = { rocketmq: await freeRocketmqPorts(), mqtt: await freePort(), aws: await freePort() };
  return { ports, moved: [] };
}

/** The usual ports, or free ones where those are taken; `moved` names each that had to move. */
export async function choosePorts(): Promise<{ ports: StackPorts; moved: string[] }> {
  const moved: string[] = [];
  const choose = async (what: string, usual: number, neighbours: readonly number[] = []) => {
    if (await areFree(usual, ...neighbours.map((distance) => usual + distance))) return usual;
    const port = await freePort(neighbours);
    moved.push(`${what}: port ${usual} is taken, using ${port}`);
    return port;
  };
  const usual = USUAL_PORTS;
  const ports = {
    rocketmq: {
      grpc: await choose('RocketMQ endpoint', usual.rocketmq.grpc),
      proxyRemoting: await choose('RocketMQ proxy, remoting', usual.rocketmq.proxyRemoting),
      nameServer: await choose('RocketMQ name server', usual.rocketmq.nameServer),
      broker: await choose('RocketMQ broker', usual.rocketmq.broker, BROKER_NEIGHBOURS),
    },
    mqtt: await choose('MQTT broker', usual.mqtt),
    aws: await choose('AWS emulator', usual.aws),
  };
  return { ports, moved };
}

const BROKER_NEIGHBOURS = [-2, 1];

async function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    server.close();
  }
}

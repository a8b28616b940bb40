import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parser } from 'mqtt-packet';

/** What is worked with: messages published, messages accepted. */
const AT_WORK: ReadonlySet<string> = new Set(['publish', 'puback', 'pubrec']);

/** One connection as the tap has seen it; times in epoch ms. */
export interface TappedConnection {
  clientId: string;
  openedAtMs: number;
  closedAtMs?: number;
  /** Packets of each kind from the client. */
  packets: Map<string, number>;
  /** First and last packet by which the client worked. */
  work?: { firstAtMs: number; lastAtMs: number };
}

/** A relay before an MQTT broker that notes what each client says, and when. */
export interface MqttTap {
  url: string;
  port: number;
  connectionsOf(clientId: string): TappedConnection[];
  /** Pairs of connections of a client that worked at the same time, as text. */
  overlaps(clientId: string): string[];
  close(): Promise<void>;
}

export async function startMqttTap(brokerUrl: string): Promise<MqttTap> {
  const target = Number(new URL(brokerUrl).port);
  const sockets = new Set<Socket>();
  const connections: TappedConnection[] = [];
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    far.pipe(near);
    near.pipe(far);
    listen(near, connections);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connectionsOf = (clientId: string) => connections.filter((one) => one.clientId === clientId);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    connectionsOf,
    overlaps(clientId) {
      const worked = connectionsOf(clientId).flatMap(({ work }) => (work === undefined ? [] : [work]));
      return worked.flatMap(({ lastAtMs }, index) => {
        const next = worked[index + 1];
        return next !== undefined && next.firstAtMs < lastAtMs ? [`${lastAtMs - next.firstAtMs} ms`] : [];
      });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function listen(socket: Socket, connections: TappedConnection[]): void {
  let connection: TappedConnection | undefined;
  const packets = parser();
  packets.on('packet', (packet: { cmd: string; clientId?: string }) => {
    const atMs = Date.now();
    if (packet.cmd === 'connect') {
      connection = { clientId: packet.clientId ?? '', openedAtMs: atMs, packets: new Map() };
      connections.push(connection);
    }
    if (connection === undefined) return;
    connection.packets.set(packet.cmd, (connection.packets.get(packet.cmd) ?? 0) + 1);
    if (!AT_WORK.has(packet.cmd)) return;
    connection.work ??= { firstAtMs: atMs, lastAtMs: atMs };
    connection.work.lastAtMs = atMs;
  });
  // What cannot be read is the broker's to judge.
  packets.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => packets.parse(chunk));
  socket.on('close', () => {
    if (connection !== undefined) connection.closedAtMs = Date.now();
  });
}

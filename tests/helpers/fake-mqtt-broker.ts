import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { generate, type IConnackPacket, type Packet, parser } from 'mqtt-packet';

export interface FakeConnection {
  protocolVersion: number;
  /** A packet in the version of the client. */
  send(packet: Packet): void;
  /** As it is. */
  sendBytes(bytes: Uint8Array): void;
  close(): void;
  reset(): void;
}

export interface FakeMqttBroker {
  readonly url: string;
  /** Everything clients sent, in order. */
  readonly packets: readonly Packet[];
  /** Resolves with the first so many packets of a kind. */
  seen(cmd: Packet['cmd'], count: number): Promise<Packet[]>;
  /** Open connections. */
  readonly connections: readonly FakeConnection[];
  close(): Promise<void>;
}

/**
 * A broker that says what a test wants, on a real socket.
 *
 * @param answer - called with each packet; CONNECT is accepted where it answers nothing
 */
export async function startFakeMqttBroker(
  answer: (packet: Packet, connection: FakeConnection) => void = acceptAll,
): Promise<FakeMqttBroker> {
  const packets: Packet[] = [];
  const connections: FakeConnection[] = [];
  const watchers = new Set<() => void>();
  const sockets = new Set<Socket>();

  const server = createServer((socket) => {
    const connection: FakeConnection = {
      protocolVersion: 5,
      send: (packet) => void socket.write(generate(packet, { protocolVersion: connection.protocolVersion })),
      sendBytes: (bytes) => void socket.write(bytes),
      close: () => socket.end(),
      reset: () => void socket.resetAndDestroy(),
    };
    const reader = parser();
    reader.on('packet', (packet) => {
      packets.push(packet);
      if (packet.cmd === 'connect') connection.protocolVersion = packet.protocolVersion ?? 4;
      answer(packet, connection);
      for (const look of watchers) look();
    });
    sockets.add(socket);
    connections.push(connection);
    socket.on('data', (chunk) => reader.parse(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      connections.splice(connections.indexOf(connection), 1);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    packets,
    connections,
    seen: (cmd, count) =>
      new Promise((resolve) => {
        const look = () => {
          const found = packets.filter((packet) => packet.cmd === cmd);
          if (found.length < count) return;
          watchers.delete(look);
          resolve(found.slice(0, count));
        };
        watchers.add(look);
        look();
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Lets everybody in, and takes every message. */
export function acceptAll(packet: Packet, connection: FakeConnection): void {
  if (packet.cmd === 'connect') letIn(connection);
  if (packet.cmd === 'publish' && packet.qos === 1) acknowledge(packet, connection);
  if (packet.cmd === 'pingreq') connection.send({ cmd: 'pingresp' });
}

/** CONNACK of success. */
export function letIn(
  connection: FakeConnection,
  properties: NonNullable<IConnackPacket['properties']> = {},
): void {
  connection.send(
    connection.protocolVersion === 5
      ? { cmd: 'connack', sessionPresent: false, reasonCode: 0, properties }
      : { cmd: 'connack', sessionPresent: false, returnCode: 0 },
  );
}

export function acknowledge(packet: Packet, connection: FakeConnection, reasonCode = 0): void {
  const { messageId = 0 } = packet;
  connection.send({ cmd: 'puback', messageId, reasonCode });
}

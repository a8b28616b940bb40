import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A packet as a client sent it. */
export interface ClientPacket {
  /** 1 CONNECT, 4 PUBACK, 8 SUBSCRIBE, 10 UNSUBSCRIBE, 12 PINGREQ, 14 DISCONNECT. */
  type: number;
  body: Buffer;
}

/** One connection, seen from the broker. */
export interface BrokerSide {
  send(...packets: Buffer[]): void;
  close(): void;
}

export interface ScriptedBroker {
  readonly url: string;
  /** Everything that came on all connections, in order. */
  readonly packets: readonly ClientPacket[];
  /** Resolves with the packets of a type, as soon as there are so many. */
  received(type: number, count?: number): Promise<ClientPacket[]>;
  stop(): Promise<void>;
}

/** A broker that does exactly what its script says: for what no real one does when asked. */
export async function startScriptedBroker(
  script: (packet: ClientPacket, side: BrokerSide, connection: number) => void,
): Promise<ScriptedBroker> {
  const packets: ClientPacket[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections;
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const side: BrokerSide = {
      send: (...sent) => socket.write(Buffer.concat(sent)),
      close: () => socket.end(),
    };
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let next = firstOf(rest); next !== undefined; next = firstOf(rest)) {
        rest = rest.subarray(next.length);
        packets.push(next.packet);
        script(next.packet, side, connection);
      }
      for (const look of waiting) look();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    packets,
    received(type, count = 1) {
      const { promise, resolve } = Promise.withResolvers<ClientPacket[]>();
      const look = () => {
        const found = packets.filter((packet) => packet.type === type);
        if (found.length < count) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      return promise;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function firstOf(bytes: Buffer): { packet: ClientPacket; length: number } | undefined {
  let size = 0;
  let at = 1;
  for (let byte = 0x80; byte >= 0x80; at += 1) {
    if (at >= bytes.length) return undefined;
    byte = bytes[at] ?? 0;
    size += (byte & 0x7f) << (7 * (at - 1));
  }
  if (bytes.length < at + size) return undefined;
  return { packet: { type: (bytes[0] ?? 0) >> 4, body: bytes.subarray(at, at + size) }, length: at + size };
}

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay on the loopback interface that can lose a flow as a network does: nothing arrives, nothing is closed. */
export interface FlakyRelay {
  endpoint: string;
  /** How many connections were made through it. */
  readonly connections: number;
  /** Swallows, both ways and for ever, what the present connections carry; later ones work. */
  swallowEstablished(): void;
  close(): Promise<void>;
}

export async function startFlakyRelay(port: number): Promise<FlakyRelay> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    endpoint: `127.0.0.1:${address.port}`,
    get connections() {
      return connections;
    },
    swallowEstablished() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.resume();
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

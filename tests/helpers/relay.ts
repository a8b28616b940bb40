import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP relay on the loopback interface before a broker, which misbehaves as a network does when it is told to. */
export interface Relay {
  port: number;
  /** host:port. */
  endpoint: string;
  /** How many connections were made through it. */
  readonly connections: number;
  /** From now on nothing arrives either way and nothing is closed, on connections that there are and on new ones. */
  swallow(): void;
  /** Ends every connection with a reset, now and as soon as one is opened. */
  reset(): void;
  /** What the broker says comes so many ms later. */
  slow(ms: number): void;
  /** Works again. What was swallowed is gone, so connections of before stay dead; those opened meanwhile come about. */
  heal(): void;
  /** Loses the connections that there are, without a sign; later ones work. */
  swallowEstablished(): void;
  /** On the connections that there are, what this side says is lost from now on; what it is told still arrives. */
  mute(side: 'clients' | 'broker'): void;
  close(): Promise<void>;
}

/**
 * Ms after its first attempt at which a system asks again for a connection of which it hears nothing: connections that are opened
 * while everything is swallowed come about at the next of these, as they would where packets are lost.
 */
const ASKED_AGAIN_MS = [1_000, 3_000, 7_000, 15_000, 31_000];

type Mode = { kind: 'pass' } | { kind: 'swallow' } | { kind: 'reset' } | { kind: 'slow'; ms: number };

/** One connection through a relay, for who wants to listen to what is said on it. */
export interface RelayedConnection {
  client: Socket;
  broker: Socket;
  /** What the client says from now on is lost. */
  muteClient(): void;
}

/** @param onConnection - hears of each connection before anything is said on it */
export async function startRelay(
  targetPort: number,
  onConnection: (connection: RelayedConnection) => void = () => undefined,
): Promise<Relay> {
  let mode: Mode = { kind: 'pass' };
  const near = new Set<Socket>();
  const far = new Set<Socket>();
  const all = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    keep(client, near);
    connections += 1;
    if (mode.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    if (mode.kind === 'swallow') askAgain(client, Date.now(), [...ASKED_AGAIN_MS]);
    else carry(client);
  });

  function carry(client: Socket): void {
    const broker = connect(targetPort, '127.0.0.1');
    keep(broker, far);
    join(client, broker, () => 0);
    join(broker, client, () => (mode.kind === 'slow' ? mode.ms : 0));
    onConnection({ client, broker, muteClient: () => client.emit('swallow') });
  }

  /** What the client says meanwhile is kept: it believes to be connected, which it would not be yet. Who gives up is not heard of. */
  function askAgain(client: Socket, sinceMs: number, times: number[]): void {
    const nextMs = times.shift();
    if (nextMs === undefined) return;
    // An end shows only to who reads.
    const said: Buffer[] = [];
    const keepSaid = (chunk: Buffer) => said.push(chunk);
    const giveUp = () => client.destroy();
    client.on('data', keepSaid);
    client.once('end', giveUp);
    const timer = setTimeout(
      () => {
        client.off('data', keepSaid);
        client.off('end', giveUp);
        client.pause();
        if (said.length > 0) client.unshift(Buffer.concat(said));
        if (client.destroyed) return;
        if (mode.kind === 'swallow') askAgain(client, sinceMs, times);
        else carry(client);
      },
      sinceMs + nextMs - Date.now(),
    );
    client.once('close', () => clearTimeout(timer));
  }

  function keep(socket: Socket, side: Set<Socket>): void {
    socket.setNoDelay(true);
    all.add(socket);
    side.add(socket);
    socket.once('close', () => {
      all.delete(socket);
      side.delete(socket);
    });
    // Its close follows, which ends the other side.
    socket.on('error', () => undefined);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function swallowEstablished(): void {
    for (const socket of all) socket.emit('swallow');
  }

  return {
    port,
    endpoint: `127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    swallow() {
      mode = { kind: 'swallow' };
      swallowEstablished();
    },
    swallowEstablished,
    mute(side) {
      for (const socket of side === 'clients' ? near : far) socket.emit('swallow');
    },
    reset() {
      mode = { kind: 'reset' };
      for (const socket of near) socket.resetAndDestroy();
    },
    slow(ms) {
      mode = { kind: 'slow', ms };
    },
    heal() {
      mode = { kind: 'pass' };
    },
    async close() {
      for (const socket of all) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Carries what comes from one side to the other, in order, so many ms later, until it is told to swallow. */
function join(from: Socket, to: Socket, delayMs: () => number): void {
  let isSwallowed = false;
  let lastAtMs = 0;
  const deliver = (act: () => void) => {
    const atMs = Math.max(lastAtMs, Date.now() + delayMs());
    lastAtMs = atMs;
    if (atMs <= Date.now()) act();
    else setTimeout(act, atMs - Date.now());
  };
  from.once('swallow', () => {
    isSwallowed = true;
  });
  from.on('data', (chunk) => {
    if (isSwallowed) return;
    deliver(() => {
      if (to.writable && !to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  });
  from.once('close', () => {
    if (!isSwallowed) deliver(() => to.destroy());
  });
}

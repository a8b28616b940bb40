import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const current = new AsyncLocalStorage<ChannelSockets>();

/**
 * The sockets that a gRPC channel opens. A channel that is closed while it connects leaves its socket behind, connected or not,
 * until the other side or the system ends it (`Http2SubchannelConnector` of grpc-js 1.14): behind a load balancer that swallows
 * everything each attempt would cost one, for ever.
 */
export class ChannelSockets {
  readonly #sockets = new Set<Socket>();

  /** What is opened by this call, also later, belongs to the channel. To be used for each until it is connected: any may open it. */
  watch<T>(open: () => T): T {
    return current.run(this, open);
  }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /**
   * Calls back when none is left: the channel may be closed then. Before, grpc-js would forget the HTTP/2 session on a socket, which
   * keeps it open.
   */
  destroy(whenClosed: () => void): void {
    let left = this.#sockets.size;
    if (left === 0) whenClosed();
    for (const socket of this.#sockets) {
      socket.once('close', () => {
        left -= 1;
        if (left === 0) whenClosed();
      });
      socket.destroy();
    }
  }
}

subscribe('net.client.socket', (message) => {
  current.getStore()?.add((message as { socket: Socket }).socket);
});

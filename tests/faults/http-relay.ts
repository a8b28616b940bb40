import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP relay before an AWS endpoint. */
export interface HttpRelay {
  url: string;
  /** Ends the connections that there are. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * @param endpoint - the emulator's; what is asked for keeps its `Host`, which is signed
 * @param intercept - true: the request is dealt with, or will be, and goes no further by itself
 */
export async function startHttpRelay(
  endpoint: string,
  intercept: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean,
): Promise<HttpRelay> {
  const { port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    if (!intercept(incoming, outgoing)) forward(Number(port), incoming, outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const asked = request({ host: '127.0.0.1', port, method, path: url, headers, setHost: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  asked.on('error', () => outgoing.destroy());
  outgoing.on('close', () => asked.destroy());
  incoming.pipe(asked);
}

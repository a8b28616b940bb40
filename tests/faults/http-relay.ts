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

/** Lets a request go on; with this body, where it was read or is to be another. */
export type Forward = (body?: Buffer) => void;

/**
 * @param endpoint - the emulator's; what is asked for keeps its `Host`, which is signed
 * @param intercept - true: the request is dealt with, or will be, and goes no further by itself
 */
export async function startHttpRelay(
  endpoint: string,
  intercept: (incoming: IncomingMessage, outgoing: ServerResponse, forward: Forward) => boolean,
): Promise<HttpRelay> {
  const { port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const goOn: Forward = (body) => forward(Number(port), incoming, outgoing, body);
    if (!intercept(incoming, outgoing, goOn)) goOn();
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

function forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse, body?: Buffer): void {
  const { method, url } = incoming;
  const headers =
    body === undefined ? incoming.headers : { ...incoming.headers, 'content-length': String(body.length) };
  const asked = request({ host: '127.0.0.1', port, method, path: url, headers, setHost: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  asked.on('error', () => outgoing.destroy());
  outgoing.on('close', () => asked.destroy());
  if (body === undefined) incoming.pipe(asked);
  else asked.end(body);
}

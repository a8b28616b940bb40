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

/** What was asked for, and what was answered. */
export interface Answered {
  method: string;
  path: string;
  body: Buffer;
  status: number;
}

/**
 * @param endpoint - the emulator's; what is asked for keeps its `Host`, which is signed
 * @param options.intercept - true: the request is dealt with, or will be, and goes no further by itself
 * @param options.onAnswered - told of each request that was forwarded and answered; absent: no bodies are kept
 */
export async function startHttpRelay(
  endpoint: string,
  {
    intercept,
    onAnswered,
  }: {
    intercept(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
    onAnswered?(answered: Answered): void;
  },
): Promise<HttpRelay> {
  const { port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    if (!intercept(incoming, outgoing)) forward(Number(port), incoming, outgoing, onAnswered);
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

function forward(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  onAnswered?: (answered: Answered) => void,
): void {
  const { method = '', url: path = '', headers } = incoming;
  const chunks: Buffer[] = [];
  if (onAnswered !== undefined) incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  const asked = request({ host: '127.0.0.1', port, method, path, headers, setHost: false }, (answer) => {
    const { statusCode: status = 502 } = answer;
    onAnswered?.({ method, path, body: Buffer.concat(chunks), status });
    outgoing.writeHead(status, answer.headers);
    answer.pipe(outgoing);
  });
  asked.on('error', () => outgoing.destroy());
  outgoing.on('close', () => asked.destroy());
  incoming.pipe(asked);
}

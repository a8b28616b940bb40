import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP relay between the functions and DynamoDB. */
export interface TableRelay {
  url: string;
  /** Refuses this share of the requests as DynamoDB does to who asks for too much. */
  throttle(share: number): void;
  /** Every connection is reset. */
  goAway(): void;
  heal(): void;
  close(): Promise<void>;
}

const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
});

/** @param endpoint - the emulator's; what is asked for keeps its `Host`, which is signed */
export async function startTableRelay(endpoint: string): Promise<TableRelay> {
  const { port } = new URL(endpoint);
  let isAway = false;
  let share = 0;
  const server = createServer((incoming, outgoing) => {
    if (isAway) {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (Math.random() < share) {
      incoming.resume();
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(THROTTLED);
      return;
    }
    forward(Number(port), incoming, outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    throttle(wanted) {
      share = wanted;
    },
    goAway() {
      isAway = true;
      server.closeAllConnections();
    },
    heal() {
      isAway = false;
      share = 0;
    },
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

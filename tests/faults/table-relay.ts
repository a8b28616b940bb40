import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Forward, startHttpRelay } from './http-relay.ts';

/** An HTTP relay between the functions and DynamoDB. */
export interface TableRelay {
  url: string;
  /** Requests that were refused for their number. */
  readonly refused: number;
  /** Refuses this share of the requests as DynamoDB does to who asks for too much. */
  throttle(share: number): void;
  /** Every connection is reset. */
  goAway(): void;
  /** Each update of an item goes through this from now on, until it heals. */
  tamper(change: TamperUpdate): void;
  heal(): void;
  close(): Promise<void>;
}

/** `UpdateItem` as the SDK sends it. */
export interface ItemUpdate {
  Key: { PK: { S: string }; SK: { S: string } };
  UpdateExpression: string;
  ExpressionAttributeValues: Record<string, { N?: string } & Record<string, unknown>>;
}

/** What is to be done with an update in its place; `lost`: it is answered, and never done. */
export type TamperUpdate = (update: ItemUpdate) => ItemUpdate | 'lost';

const JSON_1_0 = { 'content-type': 'application/x-amz-json-1.0' };
const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
});

/** @param endpoint - the emulator's */
export async function startTableRelay(endpoint: string): Promise<TableRelay> {
  let isAway = false;
  let share = 0;
  let change: TamperUpdate | undefined;
  let refused = 0;

  async function tamperWith(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    forward: Forward,
    by: TamperUpdate,
  ): Promise<void> {
    const body = await buffer(incoming);
    const changed = by(JSON.parse(body.toString()) as ItemUpdate);
    if (changed === 'lost') outgoing.writeHead(200, JSON_1_0).end('{}');
    else forward(Buffer.from(JSON.stringify(changed)));
  }

  const relay = await startHttpRelay(endpoint, (incoming, outgoing, forward) => {
    if (isAway) {
      incoming.socket.resetAndDestroy();
      return true;
    }
    const isUpdate = String(incoming.headers['x-amz-target']).endsWith('.UpdateItem');
    if (change !== undefined && isUpdate) {
      // The SDK asks again where it gets no answer.
      tamperWith(incoming, outgoing, forward, change).catch(() => outgoing.destroy());
      return true;
    }
    if (Math.random() >= share) return false;
    refused += 1;
    incoming.resume();
    outgoing.writeHead(400, JSON_1_0).end(THROTTLED);
    return true;
  });
  return {
    url: relay.url,
    get refused() {
      return refused;
    },
    throttle(wanted) {
      share = wanted;
    },
    goAway() {
      isAway = true;
      relay.cut();
    },
    tamper(wanted) {
      change = wanted;
    },
    heal() {
      isAway = false;
      share = 0;
      change = undefined;
    },
    close: () => relay.close(),
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import {
  DynamoDBClient,
  DynamoDBServiceException,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { startHttpRelay } from './http-relay.ts';

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
  TableName: string;
  Key: { PK: { S: string }; SK: { S: string } };
  UpdateExpression: string;
  ExpressionAttributeValues: NonNullable<UpdateItemCommandInput['ExpressionAttributeValues']>;
}

/** What is to be done with an update in its place; `lost`: it is answered, and never done. */
export type TamperUpdate = (update: ItemUpdate) => ItemUpdate | 'lost';

const JSON_1_0 = { 'content-type': 'application/x-amz-json-1.0' };
const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
});

/** @param emulator - and who may update items: what was tampered with has another length than its sender has signed */
export async function startTableRelay(emulator: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}): Promise<TableRelay> {
  // Its sender asks again.
  const client = new DynamoDBClient({ ...emulator, maxAttempts: 1 });
  let isAway = false;
  let share = 0;
  let change: TamperUpdate | undefined;
  let refused = 0;

  async function tamperWith(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    by: TamperUpdate,
  ): Promise<void> {
    const changed = by((await json(incoming)) as ItemUpdate);
    const { status, body } = changed === 'lost' ? { status: 200, body: {} } : await carryOut(client, changed);
    outgoing.writeHead(status, JSON_1_0).end(JSON.stringify(body));
  }

  function intercept(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    if (isAway) {
      incoming.socket.resetAndDestroy();
      return true;
    }
    const isUpdate = String(incoming.headers['x-amz-target']).endsWith('.UpdateItem');
    if (change !== undefined && isUpdate) {
      // The SDK asks again where it gets no answer.
      tamperWith(incoming, outgoing, change).catch(() => outgoing.destroy());
      return true;
    }
    if (Math.random() >= share) return false;
    refused += 1;
    incoming.resume();
    outgoing.writeHead(400, JSON_1_0).end(THROTTLED);
    return true;
  }

  const relay = await startHttpRelay(emulator.endpoint, { intercept });
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
    async close() {
      await relay.close();
      client.destroy();
    },
  };
}

/** What DynamoDB answers to it, as it would by HTTP. */
async function carryOut(
  client: DynamoDBClient,
  update: ItemUpdate,
): Promise<{ status: number; body: unknown }> {
  try {
    const { $metadata: _, ...body } = await client.send(new UpdateItemCommand(update));
    return { status: 200, body };
  } catch (error) {
    if (!(error instanceof DynamoDBServiceException)) throw error;
    const { name, message, $metadata } = error;
    const found = 'Item' in error ? { Item: error.Item } : {};
    const body = { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message, ...found };
    return { status: $metadata.httpStatusCode ?? 500, body };
  }
}

import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { StandardRetryStrategy } from '@smithy/core/retry';
import { storeUnavailable } from '../../domain/errors/request-errors.ts';
import { isAway } from '../aws/control-plane-errors.ts';
import { createTableBackoff } from './table-backoff.ts';

/** The one table and the client for it. All adapters of this folder share both. */
export interface Table {
  documents: DynamoDBDocumentClient;
  tableName: string;
  /** Waits between tries; tests turn it off. */
  wait?: (ms: number) => Promise<unknown>;
}

/** An item as the document client reads it. */
export type Item = Record<string, unknown>;

export type Key = Readonly<{ PK: string; SK: string }>;

/** Index of all tasks and all clusters: `GSI1PK` is `TASK` or `CLUSTER`, `GSI1SK` the id. Eventually consistent. */
export const TYPE_INDEX = 'byType';

/** Index of dead letters without their bodies: `GSI2PK` is the task's partition, `GSI2SK` `<code>#<id>`. Eventually consistent. */
export const DEAD_LETTER_INDEX = 'deadLetters';

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 3_000;
/** Of the SDK, for lost connections and throttling; conflicts of transactions are retried in `write.ts`. */
const MAX_ATTEMPTS = 3;

/**
 * Opens the table: no request waits longer than 3 s, members that are undefined are not written. Where DynamoDB gives no answer, is
 * throttled or not able to in each try, requests end in `RequestError` 503 `STORE_UNAVAILABLE`.
 */
export function openTable(
  tableName: string,
  { maxAttempts = MAX_ATTEMPTS, ...config }: DynamoDBClientConfig & { maxAttempts?: number } = {},
): Table {
  const client = new DynamoDBClient({
    retryStrategy: new StandardRetryStrategy({ maxAttempts, backoff: createTableBackoff() }),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...config,
  });
  // Around the tries of the SDK.
  client.middlewareStack.add(
    (next) => async (request) => {
      try {
        return await next(request);
      } catch (error) {
        throw isAway(error) ? storeUnavailable(error) : error;
      }
    },
    { step: 'initialize', name: 'storeUnavailable', priority: 'high' },
  );
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  return { documents, tableName };
}

export const taskKey = (taskId: string): Key => ({ PK: `TASK#${taskId}`, SK: 'META' });
export const taskNameKey = (taskName: string): Key => ({ PK: `NAME#${taskName}`, SK: 'META' });
export const idempotencyKey = (key: string): Key => ({ PK: `IDEMPOTENCY#${key}`, SK: 'META' });
export const clusterKey = (clusterId: string): Key => ({ PK: `CLUSTER#${clusterId}`, SK: 'META' });
export const topicKey = (clusterId: string, topic: string): Key => ({
  PK: `CLUSTER#${clusterId}`,
  SK: `TOPIC#${topic}`,
});
export const concurrencyKey: Key = { PK: 'STACK#CONCURRENCY', SK: 'META' };
/** Partition of everything that shifts of a kind share: their roster and slots. */
export const shiftsPartition = (kind: 'pull' | 'session') => `SHIFTS#${kind}`;
export const stackStateKey: Key = { PK: 'STACK#STATE', SK: 'META' };

/** What the index needs of a task or cluster. */
export const typeIndexKey = (type: 'TASK' | 'CLUSTER', id: string) => ({ GSI1PK: type, GSI1SK: id });

/** Without what only the table needs. */
export function withoutKeys(item: Item): Item {
  const { PK: _, SK: _sk, GSI1PK: _g, GSI1SK: _gs, GSI2PK: _h, GSI2SK: _hs, expiresAt: _e, ...rest } = item;
  return rest;
}

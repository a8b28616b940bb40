import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { DEAD_LETTER_RETENTION_MS, type DeadLetter, type DeadLetterHead } from '../../domain/dead-letter.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import { getItem, listPage, partitionQuery } from './read.ts';
import { type Item, type Key, type Table, withoutKeys } from './table.ts';

/** An item holds at most 400 KB; a larger body lies beside the table. */
const MAX_INLINE_BODY_BYTES = 200_000;

/** What a list reads: bodies may be 200 KB each. */
const HEAD_NAMES = {
  deadLetterId: '#id',
  taskId: '#task',
  origin: '#origin',
  version: '#version',
  code: '#code',
  reason: '#reason',
  attempts: '#attempts',
  firstSeenAtMs: '#firstSeen',
  failedAtMs: '#failed',
  storedAtMs: '#stored',
} as const satisfies Record<keyof DeadLetterHead, string>;

type Stored = DeadLetterHead & ({ body: string } | { bodyKey: string });

/**
 * Dead letters in the one table: `PK` `TASK#<taskId>`, `SK` `DEADLETTER#<deadLetterId>`, `expiresAt` 90 days after the
 * failure. A body over 200 KB goes to S3 first, so that no item ever names an object that was not written.
 */
export function createDynamoDeadLetterStore({
  table,
  largeBodies,
}: {
  table: Table;
  largeBodies: LargeBodies;
}): DeadLetterStore {
  async function store({ body, ...head }: DeadLetter): Promise<Stored> {
    if (Buffer.byteLength(body) <= MAX_INLINE_BODY_BYTES) return { ...head, body };
    const bodyKey = `dead-letters/${head.taskId}/${head.deadLetterId}`;
    await largeBodies.put(bodyKey, body);
    return { ...head, bodyKey };
  }

  return {
    async put(deadLetter) {
      const put = new PutCommand({
        TableName: table.tableName,
        Item: {
          ...deadLetterKey(deadLetter.taskId, deadLetter.deadLetterId),
          ...(await store(deadLetter)),
          expiresAt: Math.ceil((deadLetter.failedAtMs + DEAD_LETTER_RETENTION_MS) / 1000),
        },
        ConditionExpression: 'attribute_not_exists(PK)',
      });
      try {
        await table.documents.send(put);
      } catch (error) {
        // Handed over twice: the first copy stands, whatever has become of it since.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },

    async get(taskId, deadLetterId) {
      const item = await getItem(table, deadLetterKey(taskId, deadLetterId));
      if (item === undefined) return undefined;
      const stored = withoutKeys(item) as unknown as Stored;
      if ('body' in stored) return stored;
      const { bodyKey, ...head } = stored;
      const body = await largeBodies.get(bodyKey);
      return body === undefined ? undefined : { ...head, body };
    },

    list: (taskId, page) =>
      listPage(table, {
        list: `dead-letters/${taskId}`,
        page,
        query: {
          ...partitionQuery(`TASK#${taskId}`, 'DEADLETTER#'),
          ScanIndexForward: false,
          ProjectionExpression: Object.values(HEAD_NAMES).join(', '),
          ExpressionAttributeNames: Object.fromEntries(
            Object.entries(HEAD_NAMES).map(([name, placeholder]) => [placeholder, name]),
          ),
        },
        toItem: (item) => item as unknown as DeadLetterHead,
        positionOf: (item: Item) => String(item.deadLetterId),
        keyAt: (position) => ({ ...deadLetterKey(taskId, position) }),
      }),
  };
}

function deadLetterKey(taskId: string, deadLetterId: string): Key {
  return { PK: `TASK#${taskId}`, SK: `DEADLETTER#${deadLetterId}` };
}

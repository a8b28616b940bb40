import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import {
  DEAD_LETTER_RETENTION_MS,
  type DeadLetter,
  type DeadLetterHead,
} from '../../domain/dead-letters/dead-letter.ts';
import {
  deadLetterIdsOf,
  deadLetterListOf,
  isEmptyRange,
  type SeenRange,
} from '../../domain/dead-letters/dead-letter-range.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { DeadLetterBatch, DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import { createDynamoDeadLetterSummary } from './dead-letter-summary.ts';
import { changing, present } from './expressions.ts';
import { getItem, listPage, partitionQuery } from './read.ts';
import { DEAD_LETTER_INDEX, type Item, type Key, type Table, withoutKeys } from './table.ts';
import { update } from './write.ts';

/** An item holds at most 400 KB; a larger body lies beside the table. */
const MAX_INLINE_BODY_BYTES = 200_000;
const CONCURRENT_READS = 16;

/** What a list reads: bodies may be 200 KB each. */
const HEAD_NAMES = {
  deadLetterId: '#id',
  taskId: '#task',
  origin: '#origin',
  version: '#version',
  code: '#code',
  reason: '#reason',
  attempts: '#attempts',
  tries: '#tries',
  lastCode: '#lastCode',
  sourceTopic: '#source',
  targetTopic: '#target',
  redrives: '#redrives',
  firstSeenAtMs: '#firstSeen',
  failedAtMs: '#failed',
  storedAtMs: '#stored',
} as const satisfies Record<keyof DeadLetterHead, string>;

const PREFIX = 'DEADLETTER#';

type Stored = DeadLetterHead & ({ body: string } | { bodyKey: string });

/**
 * Dead letters in the one table: `PK` `TASK#<taskId>`, `SK` `DEADLETTER#<deadLetterId>`, `expiresAt` 90 days after the
 * failure, and by code in an index without bodies. A body over 200 KB goes to S3 first, so that no item ever names an object
 * that was not written.
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

  async function wholeOf(item: Item | undefined): Promise<DeadLetter | undefined> {
    if (item === undefined) return undefined;
    const stored = withoutKeys(item) as unknown as Stored;
    if ('body' in stored) return stored;
    const { bodyKey, ...head } = stored;
    const body = await largeBodies.get(bodyKey);
    return body === undefined ? undefined : { ...head, body };
  }

  const get = async (taskId: string, deadLetterId: string) =>
    wholeOf(await getItem(table, deadLetterKey(taskId, deadLetterId)));

  /** The first items of a query, in its order, over as many answers as that takes. */
  async function itemsOf(query: Omit<QueryCommandInput, 'TableName'>, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const answer = await table.documents.send(
        new QueryCommand({
          ...query,
          TableName: table.tableName,
          Limit: limit - items.length,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      items.push(...(answer.Items ?? []));
      from = answer.LastEvaluatedKey;
    } while (from !== undefined && items.length < limit);
    return items;
  }

  return {
    async put(deadLetter) {
      const { taskId, deadLetterId, code, failedAtMs } = deadLetter;
      const put = new PutCommand({
        TableName: table.tableName,
        Item: {
          ...deadLetterKey(taskId, deadLetterId),
          ...indexKey(taskId, code, deadLetterId),
          ...(await store(deadLetter)),
          expiresAt: expiresAt(failedAtMs),
        },
        ConditionExpression: 'attribute_not_exists(PK)',
      });
      try {
        await table.documents.send(put);
        return 'new';
      } catch (error) {
        // Handed over twice: the first copy stands, whatever has become of it since.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return 'known';
      }
    },

    get,

    async list(taskId, { code, fromMs, toMs, ...page }) {
      const byCode = code !== undefined;
      const range = { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
      if (isEmptyRange(range)) return { items: [] };
      return listPage(table, {
        list: deadLetterListOf(taskId, { ...range, ...(byCode && { code }) }),
        page,
        query: {
          ...rangeQuery(taskId, code, range),
          ScanIndexForward: false,
          ProjectionExpression: Object.values(HEAD_NAMES).join(', '),
          ExpressionAttributeNames: Object.fromEntries(
            Object.entries(HEAD_NAMES).map(([name, placeholder]) => [placeholder, name]),
          ),
        },
        toItem: (item) => item as unknown as DeadLetterHead,
        positionOf: (item: Item) => String(item.deadLetterId),
        keyAt: (position) => ({
          ...deadLetterKey(taskId, position),
          ...(byCode ? indexKey(taskId, code, position) : {}),
        }),
      });
    },

    async read(taskId, { afterId, code, limit }) {
      if (code === undefined) {
        const partition = partitionQuery(`TASK#${taskId}`, PREFIX);
        const from = afterId === undefined ? {} : { ExclusiveStartKey: deadLetterKey(taskId, afterId) };
        const items = await itemsOf({ ...partition, ConsistentRead: true, ...from }, limit);
        return batchOf(withBodies(await Promise.all(items.map(wholeOf))), items);
      }
      const from =
        afterId === undefined
          ? {}
          : {
              ExclusiveStartKey: { ...deadLetterKey(taskId, afterId), ...indexKey(taskId, code, afterId) },
            };
      const items = await itemsOf({ ...codeQuery(taskId, code), ...from }, limit);
      const found = new Map<string, DeadLetter>();
      await forEachInFlight(items, CONCURRENT_READS, async ({ deadLetterId }) => {
        const letter = await get(taskId, String(deadLetterId));
        // The index may be late: one that failed anew for another reason is not meant.
        if (letter?.code === code) found.set(letter.deadLetterId, letter);
      });
      return batchOf(
        items.flatMap(({ deadLetterId }) => found.get(String(deadLetterId)) ?? []),
        items,
      );
    },

    async failedAgain(taskId, deadLetterId, failed) {
      const outcome = await update(table, {
        Key: deadLetterKey(taskId, deadLetterId),
        ...changing(
          {
            set: {
              ...failed,
              ...indexKey(taskId, failed.code, deadLetterId),
              expiresAt: expiresAt(failed.failedAtMs),
            },
            // They told of the failure before.
            remove: ['tries', 'lastCode'],
            add: { attempts: 1, redrives: 1 },
          },
          present('PK'),
        ),
      });
      // The letter has its time anew, and so must what it names.
      if (outcome.ok && outcome.item.bodyKey !== undefined)
        await largeBodies.renew(String(outcome.item.bodyKey));
    },

    async remove(taskId, deadLetterId) {
      const { Attributes: removed } = await table.documents.send(
        new DeleteCommand({
          TableName: table.tableName,
          Key: deadLetterKey(taskId, deadLetterId),
          ReturnValues: 'ALL_OLD',
        }),
      );
      if (removed?.bodyKey !== undefined) await largeBodies.remove(String(removed.bodyKey));
    },

    ...createDynamoDeadLetterSummary(table),
  };
}

function deadLetterKey(taskId: string, deadLetterId: string): Key {
  return { PK: `TASK#${taskId}`, SK: `${PREFIX}${deadLetterId}` };
}

function indexKey(taskId: string, code: string, deadLetterId: string) {
  return { GSI2PK: `TASK#${taskId}`, GSI2SK: `${code}#${deadLetterId}` };
}

/** Ids begin with the time, so that a range of time is one of keys. */
function rangeQuery(taskId: string, code: string | undefined, range: SeenRange) {
  const { least, greatest } = deadLetterIdsOf(range);
  const [from, to] =
    code === undefined
      ? [deadLetterKey(taskId, least).SK, deadLetterKey(taskId, greatest).SK]
      : [indexKey(taskId, code, least).GSI2SK, indexKey(taskId, code, greatest).GSI2SK];
  return {
    ...(code === undefined
      ? { KeyConditionExpression: 'PK = :partition AND SK BETWEEN :from AND :to' }
      : {
          IndexName: DEAD_LETTER_INDEX,
          KeyConditionExpression: 'GSI2PK = :partition AND GSI2SK BETWEEN :from AND :to',
        }),
    ExpressionAttributeValues: { ':partition': `TASK#${taskId}`, ':from': from, ':to': to },
  };
}

function codeQuery(taskId: string, code: string) {
  return {
    IndexName: DEAD_LETTER_INDEX,
    KeyConditionExpression: 'GSI2PK = :partition AND begins_with(GSI2SK, :prefix)',
    ExpressionAttributeValues: { ':partition': `TASK#${taskId}`, ':prefix': `${code}#` },
  };
}

function batchOf(items: DeadLetter[], looked: readonly Item[]): DeadLetterBatch {
  const last = looked.at(-1);
  return last === undefined ? { items } : { items, throughId: String(last.deadLetterId) };
}

/** In seconds, as a TTL is. */
function expiresAt(failedAtMs: number): number {
  return Math.ceil((failedAtMs + DEAD_LETTER_RETENTION_MS) / 1000);
}

/** Without those whose body is gone. */
function withBodies(letters: readonly (DeadLetter | undefined)[]): DeadLetter[] {
  return letters.filter((letter) => letter !== undefined);
}

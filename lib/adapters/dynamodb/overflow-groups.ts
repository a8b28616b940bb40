import { BatchGetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import { RETENTION_SECONDS } from '../../domain/tasks/resource-specs.ts';
import type { OverflowGroups, OverflowMark } from '../../ports/overflow-groups.ts';
import { absent, all, any, atLeast, atMost, changing, conditional, equals } from './expressions.ts';
import { partitionQuery } from './read.ts';
import type { Item, Key, Table } from './table.ts';
import { remove, update } from './write.ts';

/** DynamoDB takes 100 keys in one BatchGet. */
const MAX_KEYS = 100;
/** Writes of one announcement that are under way together. */
const CONCURRENT_WRITES = 16;
/** Marks outlive every record of the queue, and are ended by the lane, not by their expiry. */
const LIFETIME_SECONDS = RETENTION_SECONDS + 24 * 60 * 60;
/** Asked again at most so often for keys that DynamoDB left unanswered. */
const MAX_READS = 5;

/**
 * Marks in the one table: `PK` `TASK#<taskId>`, `SK` `OVERFLOW#<groupKey>`. Put ids are ULIDs, whose order as text is that
 * of their making.
 */
export function createDynamoOverflowGroups(table: Table): OverflowGroups {
  const { documents, tableName } = table;

  async function announceOne(
    taskId: string,
    { groupKey, putId }: { groupKey: string; putId: string },
    nowMs: number,
  ): Promise<boolean> {
    const outcome = await update(table, {
      Key: keyOf(taskId, groupKey),
      ...changing(
        { set: { lastPutId: putId, expiresAt: Math.ceil(nowMs / 1_000) + LIFETIME_SECONDS } },
        any(absent('lastPutId'), atMost('lastPutId', putId)),
      ),
    });
    return outcome.ok;
  }

  async function readSome(keys: readonly Key[]): Promise<OverflowMark[]> {
    const items: Item[] = [];
    let open: Record<string, unknown>[] = [...keys];
    for (let reads = 0; open.length > 0; reads += 1) {
      if (reads === MAX_READS) throw new Error('reading marks of overflow: DynamoDB leaves keys unanswered');
      const answer = await documents.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { Keys: open, ConsistentRead: true } } }),
      );
      items.push(...(answer.Responses?.[tableName] ?? []));
      open = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
    return items.map(markOf);
  }

  return {
    async list(taskId) {
      const marks: OverflowMark[] = [];
      let from: Item | undefined;
      do {
        const answer = await documents.send(
          new QueryCommand({
            TableName: tableName,
            ...partitionQuery(`TASK#${taskId}`, 'OVERFLOW#'),
            ConsistentRead: true,
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        );
        marks.push(...(answer.Items ?? []).map(markOf));
        from = answer.LastEvaluatedKey;
      } while (from !== undefined);
      return marks;
    },

    async announce(taskId, puts, nowMs) {
      const answers = puts.map(() => false);
      await forEachInFlight([...puts.entries()], CONCURRENT_WRITES, async ([index, put]) => {
        // No certainty is a no: the message stays where it is.
        answers[index] = await announceOne(taskId, put, nowMs).catch(() => false);
      });
      return answers;
    },

    async settled(taskId, groupKey, putId) {
      await update(table, {
        Key: keyOf(taskId, groupKey),
        ...changing(
          { set: { drainedPutId: putId } },
          all(atLeast('lastPutId', putId), any(absent('drainedPutId'), atMost('drainedPutId', putId))),
        ),
      });
    },

    async read(taskId, groupKeys) {
      const marks: OverflowMark[] = [];
      for (let at = 0; at < groupKeys.length; at += MAX_KEYS) {
        const keys = groupKeys.slice(at, at + MAX_KEYS).map((groupKey) => keyOf(taskId, groupKey));
        marks.push(...(await readSome(keys)));
      }
      return marks;
    },

    async forget(taskId, groupKey, putId) {
      const outcome = await remove(table, {
        Key: keyOf(taskId, groupKey),
        ...conditional(all(equals('lastPutId', putId), equals('drainedPutId', putId))),
      });
      return outcome.ok;
    },

    async abandon(taskId, groupKey, putId) {
      await remove(table, { Key: keyOf(taskId, groupKey), ...conditional(equals('lastPutId', putId)) });
    },
  };
}

const SK_PREFIX = 'OVERFLOW#';
const keyOf = (taskId: string, groupKey: string): Key => ({
  PK: `TASK#${taskId}`,
  SK: `${SK_PREFIX}${groupKey}`,
});

function markOf({ SK, lastPutId, drainedPutId }: Item): OverflowMark {
  return {
    groupKey: String(SK).slice(SK_PREFIX.length),
    lastPutId: String(lastPutId),
    ...(drainedPutId === undefined ? {} : { drainedPutId: String(drainedPutId) }),
  };
}

import { RETENTION_SECONDS } from '../../domain/tasks/resource-specs.ts';
import type { RetryTallies } from '../../ports/retry-tallies.ts';
import { changing } from './expressions.ts';
import { getItem } from './read.ts';
import { type Key, type Table, taskKey } from './table.ts';
import { update } from './write.ts';

/** No record of a queue is older than this when it fails again. */
const LIFETIME_SECONDS = RETENTION_SECONDS + 24 * 60 * 60;

/** Tallies in the one table: `PK` `TASK#<taskId>`, `SK` `RETRY#<messageId>`. */
export function createDynamoRetryTallies(table: Table): RetryTallies {
  return {
    async get(taskId, messageId) {
      const item = await getItem(table, keyOf(taskId, messageId));
      if (item === undefined) return undefined;
      const { tries, ageMs, firstAtMs, lastAtMs } = item;
      return {
        tries: Number(tries),
        ageMs: Number(ageMs),
        firstAtMs: Number(firstAtMs),
        lastAtMs: Number(lastAtMs),
      };
    },
    async put(taskId, messageId, tally) {
      const expiresAt = Math.ceil(tally.lastAtMs / 1_000) + LIFETIME_SECONDS;
      await update(table, { Key: keyOf(taskId, messageId), ...changing({ set: { ...tally, expiresAt } }) });
    },
  };
}

function keyOf(taskId: string, messageId: string): Key {
  return { PK: taskKey(taskId).PK, SK: `RETRY#${messageId}` };
}

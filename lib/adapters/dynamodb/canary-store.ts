import type { CanaryFailure, CanaryRecord } from '../../domain/tasks/canary.ts';
import { RETENTION_SECONDS } from '../../domain/tasks/resource-specs.ts';
import type { CanaryStore } from '../../ports/canary-store.ts';
import { absent, all, any, atMost, changing, present } from './expressions.ts';
import { getItem } from './read.ts';
import { type Item, type Key, type Table, taskKey } from './table.ts';
import { update } from './write.ts';

/** A canary waits in a queue for so long at most, and must be known as one then. */
const LIFETIME_SECONDS = RETENTION_SECONDS + 24 * 60 * 60;

/** Canaries in the one table: `PK` `TASK#<taskId>`, `SK` `CANARY`. */
export function createDynamoCanaryStore(table: Table): CanaryStore {
  return {
    async get(taskId) {
      const item = await getItem(table, keyOf(taskId));
      return item === undefined ? undefined : recordOf(item);
    },
    async sending(taskId, { token, sinceMs, sentAtMs }) {
      const expiresAt = Math.ceil(sentAtMs / 1_000) + LIFETIME_SECONDS;
      const outcome = await update(table, {
        Key: keyOf(taskId),
        ...changing({ set: { sinceMs, sentAtMs, expiresAt }, setOnce: { token } }),
      });
      return recordOf((outcome.ok ? outcome.item : outcome.found) ?? {});
    },
    async came(taskId, { sentAtMs, failure }) {
      await update(table, {
        Key: keyOf(taskId),
        ...changing(
          failure === undefined
            ? { set: { cameSentAtMs: sentAtMs }, remove: ['failure'] }
            : { set: { cameSentAtMs: sentAtMs, failure } },
          all(present('token'), any(absent('cameSentAtMs'), atMost('cameSentAtMs', sentAtMs - 1))),
        ),
      });
    },
  };
}

function keyOf(taskId: string): Key {
  return { PK: taskKey(taskId).PK, SK: 'CANARY' };
}

function recordOf({ token, sinceMs, sentAtMs, cameSentAtMs, failure }: Item): CanaryRecord {
  return {
    token: String(token),
    sinceMs: Number(sinceMs),
    sentAtMs: Number(sentAtMs),
    ...(cameSentAtMs === undefined ? {} : { cameSentAtMs: Number(cameSentAtMs) }),
    // Written by this file only, which keeps the types.
    ...(failure === undefined ? {} : { failure: failure as CanaryFailure }),
  };
}

import type { RosterEntry, ShiftKind, ShiftRoster } from '../../ports/shifts.ts';
import { changing, present } from './expressions.ts';
import { getItem } from './read.ts';
import { type Key, shiftsPartition, type Table } from './table.ts';
import { update } from './write.ts';

/** One item per kind: shifts look at it each second, so it costs one small read, however many tasks there are. */
export function createDynamoShiftRoster(table: Table): ShiftRoster {
  return {
    async read(kind) {
      const item = await getItem(table, rosterKey(kind));
      // Written by this file only, which keeps the type.
      const tasks = (item?.tasks ?? {}) as Record<string, Omit<RosterEntry, 'taskId'>>;
      return Object.entries(tasks).map(([taskId, entry]) => ({ taskId, ...entry }));
    },

    async put(kind, { taskId, ...entry }) {
      const put = {
        Key: rosterKey(kind),
        ...changing({ set: { [`tasks.${taskId}`]: entry } }, present('tasks')),
      };
      if ((await update(table, put)).ok) return;
      await update(table, { Key: rosterKey(kind), ...changing({ setOnce: { tasks: {} } }) });
      await update(table, put);
    },

    async remove(kind, taskId) {
      await update(table, {
        Key: rosterKey(kind),
        ...changing({ remove: [`tasks.${taskId}`] }, present('tasks')),
      });
    },
  };
}

function rosterKey(kind: ShiftKind): Key {
  return { PK: shiftsPartition(kind), SK: 'ACTIVE' };
}

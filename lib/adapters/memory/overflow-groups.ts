import type { OverflowGroups, OverflowMark } from '../../ports/overflow-groups.ts';

/** Marks in memory, one table for all tasks. */
export function createMemoryOverflowGroups(): OverflowGroups {
  const marks = new Map<string, OverflowMark & { taskId: string }>();
  const keyOf = (taskId: string, groupKey: string) => `${taskId}#${groupKey}`;
  const told = ({ taskId: _, ...mark }: OverflowMark & { taskId: string }): OverflowMark => ({ ...mark });

  return {
    async list(taskId) {
      return [...marks.values()].filter((mark) => mark.taskId === taskId).map(told);
    },
    async announce(taskId, puts) {
      return puts.map(({ groupKey, putId }) => {
        const key = keyOf(taskId, groupKey);
        const found = marks.get(key);
        if (found !== undefined && found.lastPutId > putId) return false;
        marks.set(key, { ...found, taskId, groupKey, lastPutId: putId });
        return true;
      });
    },
    async settled(taskId, groupKey, putId) {
      const found = marks.get(keyOf(taskId, groupKey));
      if (found === undefined || found.lastPutId < putId || (found.drainedPutId ?? '') >= putId) return;
      found.drainedPutId = putId;
    },
    async read(taskId, groupKeys) {
      return groupKeys.flatMap((groupKey) => {
        const found = marks.get(keyOf(taskId, groupKey));
        return found === undefined ? [] : [told(found)];
      });
    },
    async forget(taskId, groupKey, putId) {
      const key = keyOf(taskId, groupKey);
      const found = marks.get(key);
      if (found?.lastPutId !== putId || found.drainedPutId !== putId) return false;
      return marks.delete(key);
    },
    async abandon(taskId, groupKey, putId) {
      const key = keyOf(taskId, groupKey);
      if (marks.get(key)?.lastPutId === putId) marks.delete(key);
    },
  };
}

import type { RetryTally } from '../../domain/tasks/retry-policy.ts';
import type { RetryTallies } from '../../ports/retry-tallies.ts';

/** Tallies in memory; nothing is forgotten. */
export function createMemoryRetryTallies(): RetryTallies {
  const tallies = new Map<string, RetryTally>();
  const keyOf = (taskId: string, messageId: string) => `${taskId}#${messageId}`;
  return {
    async get(taskId, messageId) {
      const found = tallies.get(keyOf(taskId, messageId));
      return found && { ...found };
    },
    async put(taskId, messageId, tally) {
      tallies.set(keyOf(taskId, messageId), { ...tally });
    },
  };
}

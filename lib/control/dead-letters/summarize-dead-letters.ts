import { UNKNOWN_TASK_ID } from '../../domain/dead-letters/dead-letter.ts';
import { taskNotFound } from '../../domain/errors/request-errors.ts';
import type { DeadLetterStore, DeadLetterSummary } from '../../ports/dead-letter-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';

/** How many dead letters a task has, by reason, and the oldest of them. Throws `RequestError` 404 `TASK_NOT_FOUND`. */
export type SummarizeDeadLetters = (taskId: string) => Promise<DeadLetterSummary>;

export function createSummarizeDeadLetters({
  tasks,
  deadLetters,
}: {
  tasks: Pick<TaskStore, 'get'>;
  deadLetters: Pick<DeadLetterStore, 'summary'>;
}): SummarizeDeadLetters {
  return async (taskId) => {
    const summary = await deadLetters.summary(taskId);
    const isKnown = summary.oldestSeenAtMs !== undefined || taskId === UNKNOWN_TASK_ID;
    if (!isKnown && (await tasks.get(taskId)) === undefined) throw taskNotFound(taskId);
    return summary;
  };
}

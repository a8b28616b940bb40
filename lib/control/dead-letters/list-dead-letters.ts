import { type DeadLetterHead, UNKNOWN_TASK_ID } from '../../domain/dead-letters/dead-letter.ts';
import { taskNotFound } from '../../domain/errors/request-errors.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { Page, TaskStore } from '../../ports/task-store.ts';

/**
 * Dead letters of a task, newest first, without their messages; also of a task that is gone, and of `UNKNOWN`. Throws
 * `RequestError` 404 `TASK_NOT_FOUND`, 400 `CURSOR_INVALID`.
 */
export type ListDeadLetters = (request: {
  taskId: string;
  /** Code of the reason. */
  reason?: string | undefined;
  /** ISO 8601: first seen at or after it, and before it. */
  from?: string | undefined;
  to?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<DeadLetterHead>>;

export function createListDeadLetters({
  tasks,
  deadLetters,
}: {
  tasks: Pick<TaskStore, 'get'>;
  deadLetters: Pick<DeadLetterStore, 'list'>;
}): ListDeadLetters {
  return async ({ taskId, reason, from, to, limit, cursor }) => {
    const page = await deadLetters.list(taskId, {
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(reason === undefined ? {} : { code: reason }),
      ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
      ...(to === undefined ? {} : { toMs: Date.parse(to) }),
    });
    const isKnown = page.items.length > 0 || taskId === UNKNOWN_TASK_ID;
    if (!isKnown && (await tasks.get(taskId)) === undefined) throw taskNotFound(taskId);
    return page;
  };
}

import { taskNotFound } from '../../domain/errors/request-errors.ts';
import type { Page, TaskEvent, TaskStore } from '../../ports/task-store.ts';

/**
 * What happened to a task, newest first; also of a task that is gone, for 90 days. Throws `RequestError` 404
 * `TASK_NOT_FOUND`, 400 `CURSOR_INVALID`.
 */
export type ListEvents = (request: {
  taskId: string;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<TaskEvent>>;

export function createListEvents({ tasks }: { tasks: Pick<TaskStore, 'get' | 'listEvents'> }): ListEvents {
  return async ({ taskId, limit, cursor }) => {
    const page = await tasks.listEvents(taskId, { limit, ...(cursor === undefined ? {} : { cursor }) });
    if (page.items.length === 0 && (await tasks.get(taskId)) === undefined) throw taskNotFound(taskId);
    return page;
  };
}

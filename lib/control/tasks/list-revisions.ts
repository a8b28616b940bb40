import { taskNotFound } from '../../domain/errors/request-errors.ts';
import type { Page, TaskRevision, TaskStore } from '../../ports/task-store.ts';

/** The definitions a task has had, newest first. Throws `RequestError` 404 `TASK_NOT_FOUND`, 400 `CURSOR_INVALID`. */
export type ListRevisions = (request: {
  taskId: string;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<TaskRevision>>;

export function createListRevisions({
  tasks,
}: {
  tasks: Pick<TaskStore, 'get' | 'listRevisions'>;
}): ListRevisions {
  return async ({ taskId, limit, cursor }) => {
    const page = await tasks.listRevisions(taskId, { limit, ...(cursor === undefined ? {} : { cursor }) });
    if (page.items.length === 0 && (await tasks.get(taskId)) === undefined) throw taskNotFound(taskId);
    return page;
  };
}

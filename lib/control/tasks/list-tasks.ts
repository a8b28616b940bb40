import type { Task } from '../../domain/tasks/task.ts';
import type { Page, TaskFilter, TaskStore } from '../../ports/task-store.ts';
import type { LiveStatus } from './live-status.ts';

/** Newest first, filtered by the status that is stored, each with that of this moment. Throws `RequestError` 400 `CURSOR_INVALID`. */
export type ListTasks = (request: {
  filter: TaskFilter;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<Task>>;

export function createListTasks({
  tasks,
  liveStatus,
}: {
  tasks: Pick<TaskStore, 'list'>;
  liveStatus: LiveStatus;
}): ListTasks {
  return async ({ filter, limit, cursor }) => {
    const page = await tasks.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
    return { ...page, items: await Promise.all(page.items.map(liveStatus)) };
  };
}

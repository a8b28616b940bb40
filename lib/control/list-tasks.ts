import type { Task } from '../domain/task.ts';
import type { Page, TaskFilter, TaskStore } from '../ports/task-store.ts';

/** Newest first. Throws `RequestError` 400 `CURSOR_INVALID`. */
export type ListTasks = (request: {
  filter: TaskFilter;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<Task>>;

export function createListTasks({ tasks }: { tasks: Pick<TaskStore, 'list'> }): ListTasks {
  return ({ filter, limit, cursor }) =>
    tasks.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
}

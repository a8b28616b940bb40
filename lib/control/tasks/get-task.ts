import { taskNotFound } from '../../domain/errors/request-errors.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { TaskStore } from '../../ports/task-store.ts';

/** Throws `RequestError` 404 `TASK_NOT_FOUND`. */
export type GetTask = (taskId: string) => Promise<Task>;

export function createGetTask({ tasks }: { tasks: Pick<TaskStore, 'get'> }): GetTask {
  return async (taskId) => {
    const task = await tasks.get(taskId);
    if (task === undefined) throw taskNotFound(taskId);
    return task;
  };
}

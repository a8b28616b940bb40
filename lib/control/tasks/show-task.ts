import type { Task } from '../../domain/tasks/task.ts';
import type { GetTask } from './get-task.ts';
import type { LiveStatus } from './live-status.ts';

/** A task with what is true of it now. Throws `RequestError` 404 `TASK_NOT_FOUND`. */
export type ShowTask = (taskId: string) => Promise<Task>;

export function createShowTask({
  getTask,
  liveStatus,
}: {
  getTask: GetTask;
  liveStatus: LiveStatus;
}): ShowTask {
  return async (taskId) => liveStatus(await getTask(taskId));
}

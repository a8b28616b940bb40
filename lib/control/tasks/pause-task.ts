import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { WakeConverge } from './wake-converge.ts';

/**
 * Asks for a task to pause, and gives its concurrency back. Idempotent. What is published meanwhile waits or is skipped, as
 * `options.whilePaused` says.
 *
 * Throws `RequestError`: 404 `TASK_NOT_FOUND`, 409 `TASK_DELETING`.
 */
export type PauseTask = (request: { taskId: string; actor?: string | undefined }) => Promise<Task>;

export function createPauseTask({
  tasks,
  wakeConverge,
  clock,
}: {
  tasks: Pick<TaskStore, 'setDesired'>;
  wakeConverge: WakeConverge;
  clock: Pick<Clock, 'now'>;
}): PauseTask {
  return async ({ taskId, actor }) => {
    const task = await tasks.setDesired({
      taskId,
      desired: 'paused',
      concurrencyLimit: 0,
      at: new Date(clock.now()).toISOString(),
      ...(actor === undefined ? {} : { actor }),
    });
    await wakeConverge(taskId);
    return task;
  };
}

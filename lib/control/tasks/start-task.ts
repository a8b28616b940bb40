import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { StackGuard } from './stack-guard.ts';
import type { WakeConverge } from './wake-converge.ts';

/**
 * Asks for a task to run. Idempotent: what is asked for already is answered as it is, a failed start is tried again.
 *
 * Throws `RequestError`: 404 `TASK_NOT_FOUND`, 409 `CONCURRENCY_EXHAUSTED` (extension `free`), `TASK_DELETING`, `STACK_REMOVING`.
 */
export type StartTask = (request: { taskId: string; actor?: string | undefined }) => Promise<Task>;

export function createStartTask({
  tasks,
  guardStack,
  wakeConverge,
  clock,
}: {
  tasks: Pick<TaskStore, 'setDesired'>;
  guardStack: StackGuard;
  wakeConverge: WakeConverge;
  clock: Pick<Clock, 'now'>;
}): StartTask {
  return async ({ taskId, actor }) => {
    const { concurrencyLimit } = await guardStack();
    const task = await tasks.setDesired({
      taskId,
      desired: 'running',
      concurrencyLimit,
      at: new Date(clock.now()).toISOString(),
      ...(actor === undefined ? {} : { actor }),
    });
    // Also when it was wanted already: an earlier wake may have been lost.
    await wakeConverge(taskId);
    return task;
  };
}

import { backlogNotEmpty } from '../../domain/errors/request-errors.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { planDesired } from '../../domain/tasks/task-lifecycle.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DesiredChange, TaskStore } from '../../ports/task-store.ts';
import type { CountBacklog } from './count-backlog.ts';
import type { GetTask } from './get-task.ts';
import type { WakeConverge } from './wake-converge.ts';

export interface DeleteTaskRequest {
  taskId: string;
  /** Throw away what waits in the task's queue. */
  discardBacklog: boolean;
  expectedVersion?: number | undefined;
  actor?: string | undefined;
}

/**
 * Asks for a task and all that was made for it to go. Nothing that waits is thrown away unasked: converge looks again
 * before it deletes the queue, since counts are approximate, and takes the deletion back if something came after all.
 *
 * Throws `RequestError`: 404 `TASK_NOT_FOUND`, 412 `VERSION_MISMATCH`, 409 `TASK_RUNNING`, `BACKLOG_NOT_EMPTY` (extension `backlog`).
 */
export type DeleteTask = (request: DeleteTaskRequest) => Promise<Task>;

export function createDeleteTask({
  tasks,
  getTask,
  countBacklog,
  wakeConverge,
  clock,
}: {
  tasks: Pick<TaskStore, 'setDesired'>;
  getTask: GetTask;
  countBacklog: CountBacklog;
  wakeConverge: WakeConverge;
  clock: Pick<Clock, 'now'>;
}): DeleteTask {
  return async ({ taskId, discardBacklog, expectedVersion, actor }) => {
    const change: DesiredChange = {
      taskId,
      desired: 'deleted',
      concurrencyLimit: 0,
      at: new Date(clock.now()).toISOString(),
      discardBacklog,
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
      ...(actor === undefined ? {} : { actor }),
    };
    const before = await getTask(taskId);
    // The lifecycle's refusals first: a running task always has something in its queue.
    const backlog = planDesired(before, change, 0) === undefined ? 0 : await countBacklog(before);
    if (backlog > 0 && !discardBacklog) {
      throw backlogNotEmpty(
        backlog,
        `about ${backlog} messages still wait: start the task until they are through, or delete it with ?backlog=discard`,
      );
    }
    const task = await tasks.setDesired({
      ...change,
      ...(discardBacklog ? { details: { discardedMessages: backlog, approximate: true } } : {}),
    });
    await wakeConverge(taskId);
    return task;
  };
}

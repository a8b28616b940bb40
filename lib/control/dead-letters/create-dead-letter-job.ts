import { ulid } from 'ulid';
import {
  type DeadLetterAction,
  type DeadLetterJob,
  type DeadLetterSelection,
  newDeadLetterJob,
} from '../../domain/dead-letters/dead-letter-job.ts';
import {
  stackRemoving,
  taskDeleting,
  taskNotFound,
  taskNotRunning,
  tooManyJobs,
} from '../../domain/errors/request-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterJobs } from '../../ports/dead-letter-jobs.ts';
import type { JobStarter } from '../../ports/job-starter.ts';
import type { Logger } from '../../ports/logger.ts';
import type { StackStore } from '../../ports/stack-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';

export interface DeadLetterJobRequest {
  taskId: string;
  action: DeadLetterAction;
  selection: DeadLetterSelection;
  maxMessagesPerSecond?: number | undefined;
  actor?: string | undefined;
}

/**
 * Asks for dead letters to be redriven or discarded; a worker begins at once. Dead letters of a task that is gone can be
 * discarded. Throws `RequestError` 404 `TASK_NOT_FOUND`, 409 `TASK_NOT_RUNNING`, `TASK_DELETING`, `TOO_MANY_JOBS`,
 * `STACK_REMOVING`.
 */
export type CreateDeadLetterJob = (request: DeadLetterJobRequest) => Promise<DeadLetterJob>;

/** Of one task that are not done. */
const MAX_OPEN_JOBS = 10;

export function createCreateDeadLetterJob({
  tasks,
  stack,
  jobs,
  starter,
  clock,
  logger,
}: {
  tasks: Pick<TaskStore, 'get'>;
  stack: Pick<StackStore, 'read'>;
  jobs: Pick<DeadLetterJobs, 'create' | 'countOpen'>;
  starter: JobStarter;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): CreateDeadLetterJob {
  return async ({ actor, ...request }) => {
    const { taskId, action } = request;
    if ((await stack.read()).removing) throw stackRemoving();
    if (action === 'redrive') await requireRunning(taskId);
    const open = await jobs.countOpen(taskId, MAX_OPEN_JOBS);
    if (open >= MAX_OPEN_JOBS) throw tooManyJobs(open);
    const createdAtMs = clock.now();
    const job = newDeadLetterJob({
      ...request,
      jobId: ulid(createdAtMs),
      createdAtMs,
      ...(actor === undefined ? {} : { actor }),
    });
    await jobs.create(job);
    // The tick finds it as well.
    await starter.start(taskId).catch((error: unknown) => {
      logger.warn('the worker could not be started', { taskId, jobId: job.jobId, error });
    });
    return job;
  };

  async function requireRunning(taskId: string): Promise<void> {
    const task = await tasks.get(taskId);
    if (task === undefined) throw taskNotFound(taskId);
    if (task.desired === 'deleted') throw taskDeleting(taskId);
    if (task.desired !== 'running') throw taskNotRunning(task);
  }
}

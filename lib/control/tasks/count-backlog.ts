import { RequestError } from '../../domain/errors/errors.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { QueueCounter } from '../../ports/task-queues.ts';

/**
 * How many messages wait in a task's queue or are in hand of a function; approximate, as SQS is. Throws `RequestError` 503
 * `BACKLOG_UNKNOWN`: nothing may be thrown away because a queue could not be counted.
 */
export type CountBacklog = (task: Task) => Promise<number>;

export function createCountBacklog({ queueCounter }: { queueCounter: QueueCounter }): CountBacklog {
  return async ({ taskId, resources }) => {
    if (resources.queue === undefined) return 0;
    const backlog = await queueCounter.backlog(resources.queue.url).catch((cause: unknown) => {
      const message = `the messages that wait in the queue of task ${taskId} could not be counted: repeat the request`;
      throw new RequestError(503, 'BACKLOG_UNKNOWN', message, { cause });
    });
    return backlog === undefined ? 0 : backlog.waiting + backlog.inFlight;
  };
}

import type { Task } from '../domain/task.ts';
import type { QueueCounter } from '../ports/task-queues.ts';

/** How many messages wait in a task's queue or are in hand of a function; approximate, as SQS is. */
export type CountBacklog = (task: Task) => Promise<number>;

export function createCountBacklog({ queueCounter }: { queueCounter: QueueCounter }): CountBacklog {
  return async ({ resources }) => {
    if (resources.queue === undefined) return 0;
    const backlog = await queueCounter.backlog(resources.queue.url);
    return backlog === undefined ? 0 : backlog.waiting + backlog.inFlight;
  };
}

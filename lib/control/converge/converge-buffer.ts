import type { StatusReason, Task, TaskResources, TaskStatus } from '../../domain/tasks/task.ts';
import type { NewTaskEvent } from '../../domain/tasks/task-events.ts';
import type { QueueBacklog } from '../../ports/task-queues.ts';
import type { Progress } from '../../ports/task-store.ts';
import { without } from './converge-steps.ts';

/** SQS drops a message after 14 days: the warning leaves four of them. */
export const BUFFER_EXPIRING_MS = 10 * 24 * 60 * 60_000;
const CODE = 'BUFFER_EXPIRING';

/** While a task has one of these its queue drains, or is being made, or goes. */
const NOT_BUFFERING: readonly TaskStatus[] = ['creating', 'running', 'deleting'];

/** What an audit found out about the age of what waits in a task's queue. */
export interface BufferVerdict {
  /** Absent: the record stands. */
  progress?: Progress;
  /** Once, until the queue has been empty or the task has run. */
  event?: Omit<NewTaskEvent, 'at'>;
  /** Something may have waited for longer than `BUFFER_EXPIRING_MS`, by now for so long. */
  waitedMs?: number;
}

/** Whether messages may be growing old in the task's queue, so that an audit has to count it. */
export function isBuffering({ status, resources }: Task): boolean {
  return resources.queue !== undefined && !NOT_BUFFERING.includes(status);
}

/**
 * Judges how long messages have waited, by since when audits have found something in the queue while the task did not run:
 * nothing in it is older than that by more than the time between two audits. (The age that SQS itself tells is late, and
 * leaves out what was received three times or more.)
 *
 * A paused task is given the reason. One that does not run for a cause of its own keeps the reason that names it: the data
 * plane alone takes back what it said of the target.
 *
 * @param backlog - of a task that `isBuffering`; absent otherwise
 */
export function judgeBuffer(task: Task, backlog: QueueBacklog | undefined, nowMs: number): BufferVerdict {
  const { resources, reason } = task;
  const waits = backlog !== undefined && backlog.waiting + backlog.inFlight > 0;
  if (!waits || !isBuffering(task)) return forget(task);

  const sinceMs = resources.bufferingSinceMs ?? nowMs;
  const waitedMs = nowMs - sinceMs;
  const since = { ...resources, bufferingSinceMs: sinceMs };
  if (waitedMs < BUFFER_EXPIRING_MS) {
    return resources.bufferingSinceMs === undefined ? { progress: { resources: since } } : {};
  }
  const isTold = resources.bufferExpiringAtMs !== undefined;
  const needsReason = task.status === 'paused' && reason?.code !== CODE;
  if (isTold && !needsReason) return { waitedMs };
  const told = { ...since, bufferExpiringAtMs: resources.bufferExpiringAtMs ?? nowMs };
  const newReason = { ...expiringReason(sinceMs), at: new Date(nowMs).toISOString() };
  return {
    waitedMs,
    progress: { resources: told, ...(needsReason ? { status: 'paused', reason: newReason } : {}) },
    ...(isTold ? {} : { event: expiringEvent(sinceMs, backlog) }),
  };
}

function forget({ status, reason, resources }: Task): BufferVerdict {
  const hasReason = status === 'paused' && reason?.code === CODE;
  if (resources.bufferingSinceMs === undefined && !hasReason) return {};
  const forgotten: TaskResources = without(without(resources, 'bufferingSinceMs'), 'bufferExpiringAtMs');
  return { progress: { resources: forgotten, ...(hasReason ? { status, reason: null } : {}) } };
}

function expiringReason(sinceMs: number): Omit<StatusReason, 'at'> {
  return {
    code: CODE,
    message: `messages have waited in the task's queue since ${new Date(sinceMs).toISOString()} or so: SQS drops each 14 days after it came`,
    hint: 'Start the task before that to have them carried, and see that its target takes them.',
  };
}

function expiringEvent(sinceMs: number, { waiting, inFlight }: QueueBacklog): Omit<NewTaskEvent, 'at'> {
  const { code, message } = expiringReason(sinceMs);
  return { code, message, details: { messages: waiting + inFlight, approximate: true } };
}

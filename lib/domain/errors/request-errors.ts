import type { Task } from '../tasks/task.ts';
import { RequestError } from './errors.ts';

/** The refusals that every store and use case shares: one code, one status and one sentence for each. */

export const taskNotFound = (taskId: string): RequestError =>
  new RequestError(404, 'TASK_NOT_FOUND', `there is no task ${taskId}`);

export const taskNameTaken = (taskName: string): RequestError =>
  new RequestError(409, 'TASK_NAME_TAKEN', `a task named ${taskName} exists already: names are unique`, {
    errors: [{ field: 'taskName', code: 'TASK_NAME_TAKEN', message: 'choose a name that no other task has' }],
  });

/** `currentVersion` tells the caller what to read again. */
export const versionMismatch = (what: string, currentVersion: number): RequestError =>
  new RequestError(
    412,
    'VERSION_MISMATCH',
    `${what} has version ${currentVersion} by now: read it again, then repeat the change with that version`,
    {
      extensions: { currentVersion },
      errors: [
        {
          field: 'If-Match',
          code: 'VERSION_MISMATCH',
          message: `must be the ETag of the last read, now "${currentVersion}"`,
        },
      ],
    },
  );

export const ifMatchRequired = (): RequestError =>
  new RequestError(
    428,
    'IF_MATCH_REQUIRED',
    'a change needs the version it is based on: send the ETag of your last read as If-Match',
    {
      errors: [
        { field: 'If-Match', code: 'IF_MATCH_REQUIRED', message: 'is required: the ETag of the last read' },
      ],
    },
  );

/** @param wanted - what was asked for: "an edit", "a deletion" … */
export const taskRunning = (task: Pick<Task, 'desired' | 'status'>, wanted: string): RequestError =>
  new RequestError(409, 'TASK_RUNNING', runningSentence(task, wanted), {
    extensions: { desired: task.desired, taskStatus: task.status },
  });

export const taskDeleting = (taskId: string): RequestError =>
  new RequestError(409, 'TASK_DELETING', `task ${taskId} is being deleted, which is final`);

export const concurrencyExhausted = (needed: number, free: number, limit: number): RequestError =>
  new RequestError(
    409,
    'CONCURRENCY_EXHAUSTED',
    `the task needs ${needed} concurrent invocations, of ${limit} in all ${free} are free: ` +
      'pause another task, lower options.concurrency, or deploy with a larger ruleConcurrency',
    {
      extensions: { needed, free, limit },
      errors: [
        {
          field: 'options.concurrency',
          code: 'CONCURRENCY_EXHAUSTED',
          message: `asks for more than the ${free} of ${limit} invocations that are free`,
        },
      ],
    },
  );

export const idempotencyKeyReused = (): RequestError =>
  new RequestError(
    409,
    'IDEMPOTENCY_KEY_REUSED',
    'this Idempotency-Key was used within 24 hours for another request, or its task is gone: take a new key',
  );

export const clusterNotFound = (clusterId: string): RequestError =>
  new RequestError(404, 'CLUSTER_NOT_FOUND', `there is no cluster ${clusterId}: register it first`);

export const clusterChanged = (clusterId: string): RequestError =>
  new RequestError(409, 'CLUSTER_CHANGED', `cluster ${clusterId} was changed meanwhile: repeat the request`);

/** @param tasks - how many tasks use it; @param remedy - what the caller can do. */
export const clusterInUse = (clusterId: string, tasks: number, remedy: string): RequestError =>
  new RequestError(
    409,
    'CLUSTER_IN_USE',
    `cluster ${clusterId} is used by ${counted(tasks, 'task')}: ${remedy}`,
    { extensions: { tasks } },
  );

/** @param faults - each field, and what is wrong with the host in it */
export const addressNotAllowed = (faults: readonly { field: string; message: string }[]): RequestError =>
  new RequestError(
    400,
    'ADDRESS_NOT_ALLOWED',
    `the address of the cluster is not allowed: ${faults[0]?.field} ${faults[0]?.message}`,
    { errors: faults.map((fault) => ({ ...fault, code: 'ADDRESS_NOT_ALLOWED' })) },
  );

export const clusterKindFixed = (clusterId: string, kind: string): RequestError =>
  new RequestError(
    409,
    'KIND_FIXED',
    `cluster ${clusterId} is of kind ${kind}, which never changes: register another cluster`,
    { errors: [{ field: 'kind', code: 'KIND_FIXED', message: `must stay ${kind}` }] },
  );

export const topicNotFound = (clusterId: string, topic: string): RequestError =>
  new RequestError(404, 'TOPIC_NOT_FOUND', `topic ${topic} is not registered on cluster ${clusterId}`);

export const topicInUse = (clusterId: string, topic: string, tasks: number): RequestError =>
  new RequestError(
    409,
    'TOPIC_IN_USE',
    `topic ${topic} of cluster ${clusterId} is the target of ${counted(tasks, 'task')}: edit or delete them first`,
    { extensions: { tasks } },
  );

export const backlogNotEmpty = (messages: number, sentence: string): RequestError =>
  new RequestError(409, 'BACKLOG_NOT_EMPTY', sentence, {
    extensions: { backlog: { messages, approximate: true } },
  });

export const stackRemoving = (): RequestError =>
  new RequestError(
    409,
    'STACK_REMOVING',
    'this stack is being removed: tasks are no longer made, changed or started',
  );

export const deadLetterNotFound = (deadLetterId: string): RequestError =>
  new RequestError(
    404,
    'DEAD_LETTER_NOT_FOUND',
    `there is no dead letter ${deadLetterId}: it was redriven or discarded, or its 90 days are over`,
  );

export const deadLetterJobNotFound = (jobId: string): RequestError =>
  new RequestError(404, 'DEAD_LETTER_JOB_NOT_FOUND', `there is no job ${jobId}`);

export const taskNotRunning = ({ desired, status }: Pick<Task, 'desired' | 'status'>): RequestError =>
  new RequestError(
    409,
    'TASK_NOT_RUNNING',
    `the task is wanted ${desired} (status ${status}): dead letters go through its mapping to its target, so start it first`,
    { extensions: { desired, taskStatus: status } },
  );

export const tooManyJobs = (open: number): RequestError =>
  new RequestError(
    409,
    'TOO_MANY_JOBS',
    `${counted(open, 'job')} of this task are not done yet: wait for them, or select by reason or all at once`,
    { extensions: { open } },
  );

export const cursorInvalid = (): RequestError =>
  new RequestError(
    400,
    'CURSOR_INVALID',
    'the cursor is not one that this list gave: begin again without one',
    {
      errors: [
        {
          field: 'cursor',
          code: 'CURSOR_INVALID',
          message: 'must be the nextCursor of the same list, unchanged',
        },
      ],
    },
  );

/** Too many others wrote the same records at once; nothing was changed. */
export const storeBusy = (cause?: unknown): RequestError =>
  new RequestError(503, 'STORE_BUSY', 'others are changing the same records: repeat the request', { cause });

/** The table with all tasks and clusters cannot be asked now; whether a change took effect is not known. */
export const storeUnavailable = (cause: unknown): RequestError =>
  new RequestError(
    503,
    'STORE_UNAVAILABLE',
    'the records of tasks and clusters cannot be reached now: repeat the request',
    { cause },
  );

function runningSentence({ desired, status }: Pick<Task, 'desired' | 'status'>, wanted: string): string {
  if (desired === 'running')
    return `the task is wanted running (status ${status}): ${wanted} needs a pause first`;
  return `the task is still ${status}: ${wanted} has to wait until it is paused`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

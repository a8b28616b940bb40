import type { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { StatusReason } from '../../domain/tasks/task.ts';
import type { NewTaskEvent } from '../../domain/tasks/task-events.ts';

type Reason = Omit<StatusReason, 'at'>;
type Event = Omit<NewTaskEvent, 'at'>;

/** The reason of a status, from what the cloud answered. */
export function reasonOf({ code, message, hint }: ControlPlaneError): Reason {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Why a deletion was taken back. */
export function backlogReason(messages: number): Reason {
  return {
    code: 'BACKLOG_NOT_EMPTY',
    message: `about ${messages} messages wait in the task's queue, so it was not deleted`,
    hint: 'Start the task to have them carried, or delete it with ?backlog=discard.',
  };
}

export function deletionCancelledEvent(messages: number): Event {
  const { code, message } = backlogReason(messages);
  return { code, message, details: { messages, approximate: true } };
}

export function backlogDiscardedEvent(messages: number): Event {
  return {
    code: 'BACKLOG_DISCARDED',
    message: `about ${messages} messages wait in the queue and are discarded with it, as asked`,
    details: { messages, approximate: true },
  };
}

/** @param repaired - what differed, one entry per resource */
export function driftEvent(repaired: readonly string[]): Event {
  return {
    code: 'DRIFT_REPAIRED',
    message: 'what is in the cloud differed from the record and is being repaired',
    details: { repaired },
  };
}

export function failedEvent({ code, message }: Reason): Event {
  return { code: 'TASK_FAILED', message, details: { reason: code } };
}

/** Why what has gathered in a session task's queue is not carried yet. */
export function unitsRefusedReason(units: number, limit: number): Reason {
  return {
    code: 'CONCURRENCY_EXHAUSTED',
    message: `messages wait in the task's queue, whose mapping needs ${units} units of concurrency: all ${limit} of the stack are in use`,
    hint: 'Pause another task, lower its options.concurrency, or deploy with a larger ruleConcurrency.',
  };
}

export function overflowLastsEvent(sinceMs: number): Event {
  const since = new Date(sinceMs).toISOString();
  return {
    code: 'OVERFLOW_LASTS',
    message: `messages of this ordered task go through its queue since ${since}: a group that is published to faster than the queue drains it, some 100 to 200 messages a second, does not leave it`,
    details: { since },
  };
}

export const DELETED_EVENT: Event = { code: 'TASK_DELETED', message: 'the task is deleted' };

/** What is to be done with dead letters. */
export type DeadLetterAction = 'redrive' | 'discard';

/** Which ones: of those that were stored when the job was made. `code` is the stable code of the reason. */
export type DeadLetterSelection = { ids: readonly string[] } | { code: string } | { all: true };

/** What has become of the dead letters that a job has been through. */
export interface DeadLetterJobCounts {
  /** The target has taken it; it is no dead letter any more. */
  redriven: number;
  discarded: number;
  /** Failed again: it stays, with the new reason. */
  failed: number;
  /** Deliberately not carried, by what the task says now (expired, filtered, loop): it stays. */
  skipped: number;
  /** Was not there any more, or is nothing that can be redriven. */
  missing: number;
}

/**
 * - `queued`: nobody works on it yet.
 * - `running`: somebody does.
 * - `waiting`: the target is away, or the task does not run: it goes on by itself when that has changed.
 * - `done`: it has been through all of them.
 */
export type DeadLetterJobState = 'queued' | 'running' | 'waiting' | 'done';

/** A request about dead letters of one task that is carried out step by step; jobs of a task one after the other. */
export interface DeadLetterJob {
  /** A ULID. */
  jobId: string;
  taskId: string;
  action: DeadLetterAction;
  selection: DeadLetterSelection;
  /** Redrive only. */
  maxMessagesPerSecond: number;
  createdAtMs: number;
  actor?: string;
  state: DeadLetterJobState;
  /** Why it waits. */
  reason?: { code: string; message: string };
  /** It has been through everything up to and including this dead letter. */
  throughId?: string;
  counts: DeadLetterJobCounts;
  finishedAtMs?: number;
}

/** As many ids as one request may name. */
export const MAX_SELECTED_IDS = 100;
/** A redrive comes on top of what the task carries anyway. */
export const DEFAULT_REDRIVE_PER_SECOND = 100;
export const MAX_REDRIVE_PER_SECOND = 1_000;
/** How long a job can be read, in milliseconds: as long as the dead letters themselves. */
export const DEAD_LETTER_JOB_RETENTION_MS = 90 * 24 * 60 * 60 * 1000;

/** A job that nobody has worked on. */
export function newDeadLetterJob(
  request: Pick<DeadLetterJob, 'jobId' | 'taskId' | 'action' | 'selection' | 'createdAtMs' | 'actor'> & {
    maxMessagesPerSecond?: number | undefined;
  },
): DeadLetterJob {
  return {
    ...request,
    maxMessagesPerSecond: request.maxMessagesPerSecond ?? DEFAULT_REDRIVE_PER_SECOND,
    state: 'queued',
    counts: { redriven: 0, discarded: 0, failed: 0, skipped: 0, missing: 0 },
  };
}

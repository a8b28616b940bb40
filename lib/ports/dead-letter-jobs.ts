import type { DeadLetterJob } from '../domain/dead-letters/dead-letter-job.ts';
import type { Page } from './task-store.ts';

/**
 * Jobs that redrive or discard dead letters, until 90 days after they were made. Of a task's jobs the oldest that is not done
 * is worked on, by one worker at a time.
 */
export interface DeadLetterJobs {
  create(job: DeadLetterJob): Promise<void>;
  get(taskId: string, jobId: string): Promise<DeadLetterJob | undefined>;
  /** Newest first. Throws `RequestError` 400 `CURSOR_INVALID`. */
  list(taskId: string, page: { limit: number; cursor?: string }): Promise<Page<DeadLetterJob>>;
  /** How many of a task are not done; counts no further than `limit`. */
  countOpen(taskId: string, limit: number): Promise<number>;
  /** Ids of tasks that have jobs which are not done, at most so many. May lag behind by a moment. */
  tasksWithOpenJobs(limit: number): Promise<string[]>;
  /**
   * The oldest job of the task that is not done, for this owner alone until `durationMs` from now. Undefined: there is none, or
   * another owner has it.
   *
   * @param behindId - the oldest of those made after this job
   */
  take(
    taskId: string,
    owner: string,
    durationMs: number,
    behindId?: string,
  ): Promise<DeadLetterJob | undefined>;
  /**
   * Records how far it is, and keeps it for `durationMs` more; 0 gives it back. False: it is not this owner's any more, and
   * nothing was recorded.
   */
  save(job: DeadLetterJob, owner: string, durationMs: number): Promise<boolean>;
}

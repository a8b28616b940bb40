import type { DeadLetterJob } from '../../domain/dead-letters/dead-letter-job.ts';
import { deadLetterJobNotFound } from '../../domain/errors/request-errors.ts';
import type { DeadLetterJobs } from '../../ports/dead-letter-jobs.ts';

/** Throws `RequestError` 404 `DEAD_LETTER_JOB_NOT_FOUND`. */
export type GetDeadLetterJob = (request: { taskId: string; jobId: string }) => Promise<DeadLetterJob>;

export function createGetDeadLetterJob({ jobs }: { jobs: Pick<DeadLetterJobs, 'get'> }): GetDeadLetterJob {
  return async ({ taskId, jobId }) => {
    const job = await jobs.get(taskId, jobId);
    if (job === undefined) throw deadLetterJobNotFound(jobId);
    return job;
  };
}

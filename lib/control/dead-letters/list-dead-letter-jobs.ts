import type { DeadLetterJob } from '../../domain/dead-letters/dead-letter-job.ts';
import type { DeadLetterJobs } from '../../ports/dead-letter-jobs.ts';
import type { Page } from '../../ports/task-store.ts';

/** What was asked for about the dead letters of a task, newest first. Throws `RequestError` 400 `CURSOR_INVALID`. */
export type ListDeadLetterJobs = (request: {
  taskId: string;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<DeadLetterJob>>;

export function createListDeadLetterJobs({
  jobs,
}: {
  jobs: Pick<DeadLetterJobs, 'list'>;
}): ListDeadLetterJobs {
  return ({ taskId, limit, cursor }) =>
    jobs.list(taskId, { limit, ...(cursor === undefined ? {} : { cursor }) });
}

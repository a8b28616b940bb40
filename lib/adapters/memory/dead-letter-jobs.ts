import type { DeadLetterJob } from '../../domain/dead-letters/dead-letter-job.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterJobs } from '../../ports/dead-letter-jobs.ts';
import { byKey, pageOf } from './page.ts';

const idOf = ({ jobId }: Pick<DeadLetterJob, 'jobId'>): string => jobId;

interface Kept {
  job: DeadLetterJob;
  owner?: string;
  ownedUntilMs: number;
}

/** Jobs on dead letters in memory, for tests. */
export function createMemoryDeadLetterJobs(clock: Pick<Clock, 'now'>): DeadLetterJobs {
  const kept = new Map<string, Kept>();
  const keyOf = (taskId: string, jobId: string) => `${taskId} ${jobId}`;
  const jobsOf = (taskId: string) =>
    [...kept.values()]
      .map(({ job }) => job)
      .filter((job) => job.taskId === taskId)
      .sort(byKey(idOf));
  const openOf = (taskId: string) => jobsOf(taskId).filter(({ state }) => state !== 'done');

  return {
    async create(job) {
      const key = keyOf(job.taskId, job.jobId);
      if (kept.has(key)) throw new Error(`job ${job.jobId} exists`);
      kept.set(key, { job: structuredClone(job), ownedUntilMs: 0 });
    },
    async get(taskId, jobId) {
      return structuredClone(kept.get(keyOf(taskId, jobId))?.job);
    },
    list: async (taskId, page) =>
      pageOf(`dead-letter-jobs/${taskId}`, jobsOf(taskId).reverse(), idOf, page, true),
    countOpen: async (taskId, limit) => Math.min(limit, openOf(taskId).length),
    async tasksWithOpenJobs(limit) {
      const open = [...kept.values()].filter(({ job }) => job.state !== 'done');
      return [...new Set(open.map(({ job }) => job.taskId))].sort().slice(0, limit);
    },
    async take(taskId, owner, durationMs, behindId = '') {
      const oldest = openOf(taskId).find(({ jobId }) => jobId > behindId);
      const found = oldest && kept.get(keyOf(taskId, oldest.jobId));
      if (found === undefined) return undefined;
      const isFree = found.owner === undefined || found.owner === owner || found.ownedUntilMs <= clock.now();
      if (!isFree) return undefined;
      found.owner = owner;
      found.ownedUntilMs = clock.now() + durationMs;
      return structuredClone(found.job);
    },
    async save(job, owner, durationMs) {
      const found = kept.get(keyOf(job.taskId, job.jobId));
      if (found?.owner !== owner) return false;
      found.job = structuredClone(job);
      found.ownedUntilMs = clock.now() + durationMs;
      if (durationMs === 0 || job.state === 'done') delete found.owner;
      return true;
    },
  };
}

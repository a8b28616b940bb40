import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { type DeadLetterJob, newDeadLetterJob } from '../../lib/domain/dead-letters/dead-letter-job.ts';
import type { DeadLetterJobs } from '../../lib/ports/dead-letter-jobs.ts';
import { createManualClock, type ManualClock } from '../helpers/tasks.ts';

const OWNED_MS = 60_000;

/** What every store of jobs promises. */
export function describeDeadLetterJobs(
  name: string,
  build: (clock: ManualClock) => Promise<DeadLetterJobs>,
): void {
  describe(`DeadLetterJobs, ${name}`, () => {
    let jobs: DeadLetterJobs;
    let clock: ManualClock;
    let taskId: string;
    const jobOf = (ageMs: number, changes: Partial<DeadLetterJob> = {}): DeadLetterJob => ({
      ...newDeadLetterJob({
        jobId: ulid(clock.now() - ageMs),
        taskId,
        action: 'redrive',
        selection: { code: 'TARGET_MISSING' },
        createdAtMs: clock.now() - ageMs,
        actor: 'somebody',
      }),
      ...changes,
    });

    beforeEach(async () => {
      clock = createManualClock();
      jobs = await build(clock);
      taskId = ulid();
    });

    it.each([{ ids: [ulid(), ulid()] }, { code: 'TARGET_MISSING' }, { all: true } as const])(
      'keeps a job about %j',
      async (selection) => {
        const job = jobOf(0, { selection });
        await jobs.create(job);
        expect(await jobs.get(taskId, job.jobId)).toEqual(job);
        expect(await jobs.get(taskId, ulid())).toBeUndefined();
        await expect(jobs.create(job)).rejects.toThrow();
      },
    );

    it('lists newest first, those that are done too', async () => {
      const [old, young] = [jobOf(5_000), jobOf(0)];
      for (const job of [young, old]) await jobs.create(job);
      await jobs.take(taskId, 'a', OWNED_MS);
      await jobs.save({ ...old, state: 'done', finishedAtMs: clock.now() }, 'a', 0);
      const { items } = await jobs.list(taskId, { limit: 10 });
      expect(items.map(({ jobId, state }) => [jobId, state])).toEqual([
        [young.jobId, 'queued'],
        [old.jobId, 'done'],
      ]);
    });

    it('gives out the oldest that is not done, to one owner at a time', async () => {
      const [old, young] = [jobOf(5_000), jobOf(0)];
      for (const job of [young, old]) await jobs.create(job);
      expect(await jobs.take(taskId, 'a', OWNED_MS)).toEqual(old);
      expect(await jobs.take(taskId, 'b', OWNED_MS)).toBeUndefined();
      // The same owner again: its first request arrived, the answer did not.
      expect(await jobs.take(taskId, 'a', OWNED_MS)).toEqual(old);
      expect(await jobs.save({ ...old, state: 'done', finishedAtMs: clock.now() }, 'a', OWNED_MS)).toBe(true);
      expect(await jobs.take(taskId, 'b', OWNED_MS)).toEqual(young);
    });

    it('gives out those behind one that has to wait', async () => {
      const [old, young] = [jobOf(5_000), jobOf(0)];
      for (const job of [young, old]) await jobs.create(job);
      expect(await jobs.take(taskId, 'a', OWNED_MS, old.jobId)).toEqual(young);
      expect(await jobs.take(taskId, 'a', OWNED_MS, young.jobId)).toBeUndefined();
      expect(await jobs.take(taskId, 'b', OWNED_MS)).toEqual(old);
    });

    it('gives it to another when its owner has died, whose word counts no more', async () => {
      const job = jobOf(0);
      await jobs.create(job);
      await jobs.take(taskId, 'a', OWNED_MS);
      clock.advance(OWNED_MS);
      expect(await jobs.take(taskId, 'b', OWNED_MS)).toEqual(job);
      expect(await jobs.save({ ...job, throughId: 'late' }, 'a', OWNED_MS)).toBe(false);
      expect(await jobs.get(taskId, job.jobId)).toEqual(job);
    });

    it('records how far it is, keeps it its owner’s, and takes it back', async () => {
      const job = jobOf(0);
      await jobs.create(job);
      await jobs.take(taskId, 'a', OWNED_MS);
      const reason = { code: 'TARGET_UNREACHABLE', message: 'no answer' };
      const counts = { ...job.counts, redriven: 3 };
      const on: DeadLetterJob = { ...job, state: 'running', throughId: ulid(), counts };
      clock.advance(OWNED_MS - 1);
      expect(await jobs.save(on, 'a', OWNED_MS)).toBe(true);
      clock.advance(OWNED_MS - 1);
      expect(await jobs.take(taskId, 'b', OWNED_MS)).toBeUndefined();
      expect(await jobs.save({ ...on, state: 'waiting', reason }, 'a', 0)).toBe(true);
      expect(await jobs.take(taskId, 'b', OWNED_MS)).toEqual({ ...on, state: 'waiting', reason });
      expect(await jobs.save(on, 'b', OWNED_MS)).toBe(true);
      expect(await jobs.get(taskId, job.jobId)).toEqual(on);
    });

    it('knows which tasks have any that are not done, and how many', async () => {
      expect(await jobs.tasksWithOpenJobs(10)).toEqual([]);
      const first = jobOf(1_000);
      for (const job of [first, jobOf(0)]) await jobs.create(job);
      const other = { ...jobOf(0), taskId: ulid() };
      await jobs.create(other);
      expect(new Set(await jobs.tasksWithOpenJobs(10))).toEqual(new Set([taskId, other.taskId]));
      expect(await jobs.tasksWithOpenJobs(1)).toHaveLength(1);
      expect(await jobs.countOpen(taskId, 10)).toBe(2);
      expect(await jobs.countOpen(taskId, 1)).toBe(1);
      await jobs.take(other.taskId, 'a', OWNED_MS);
      await jobs.save({ ...other, state: 'done', finishedAtMs: clock.now() }, 'a', 0);
      expect(await jobs.tasksWithOpenJobs(10)).toEqual([taskId]);
      expect(await jobs.countOpen(other.taskId, 10)).toBe(0);
    });
  });
}

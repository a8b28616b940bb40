import { describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { at, MINUTE_MS, type TaskStoreKit } from './kit.ts';

/** Changes of what is wanted, with the concurrency they reserve. */
export function describeDesired(kit: TaskStoreKit): void {
  const { created, paused, running, settle, want, codesOf, leased } = kit;

  describe('setDesired', () => {
    it('starts: status, first start, reserved concurrency and event', async () => {
      const task = await paused();
      const started = await want(task.taskId, 'running', { actor: 'ops' });
      expect(started).toMatchObject({ desired: 'running', status: 'starting', startedAt: at, version: 1 });
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 5 });
      expect((await kit.tasks.listEvents(task.taskId, { limit: 1 })).items).toEqual([
        expect.objectContaining({ code: 'START_REQUESTED', actor: 'ops' }),
      ]);
    });

    it('changes nothing when asked for what is wanted already', async () => {
      const task = await running();
      const before = await kit.tasks.get(task.taskId);
      expect(await want(task.taskId, 'running')).toEqual(before);
      expect(await codesOf(task.taskId)).toEqual(['TASK_CREATED']);
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 5 });
    });

    it('gives the concurrency back on a pause', async () => {
      const task = await running();
      expect(await want(task.taskId, 'paused')).toMatchObject({ desired: 'paused', status: 'pausing' });
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 0 });
    });

    it('keeps the time of the first start', async () => {
      const task = await running();
      await want(task.taskId, 'paused');
      const later = new Date(Date.now() + MINUTE_MS).toISOString();
      expect(await want(task.taskId, 'running', { at: later })).toMatchObject({
        startedAt: task.startedAt,
        updatedAt: later,
      });
    });

    it('tries a failed start again, without reserving twice', async () => {
      const task = await running();
      const lease = await leased(task);
      await kit.tasks.saveProgress(lease, {
        status: 'failed',
        reason: { code: 'NO', message: 'no', at },
      });
      const again = await want(task.taskId, 'running');
      expect(again).toMatchObject({ status: 'starting' });
      expect(again).not.toHaveProperty('reason');
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 5 });
    });

    it('never reserves more than the limit, however many start at once', async () => {
      const all = await Promise.all(Array.from({ length: 12 }, () => created()));
      const outcomes = await Promise.allSettled(
        all.map(({ taskId }) => want(taskId, 'running', { concurrencyLimit: 33 })),
      );
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused.map(({ reason }) => reason.code)).toEqual(Array(6).fill('CONCURRENCY_EXHAUSTED'));
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 30 });
    });

    it('reserves once when one task is started many times at once', async () => {
      const { taskId } = await paused();
      await Promise.all(Array.from({ length: 10 }, () => want(taskId, 'running')));
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 5 });
      expect(await codesOf(taskId)).toEqual(['START_REQUESTED', 'TASK_CREATED']);
    });

    it('refuses a deletion until the task is paused or failed', async () => {
      const task = await created();
      const refusal = { status: 409, code: 'TASK_RUNNING' };
      await expect(want(task.taskId, 'deleted')).rejects.toMatchObject(refusal);
      await settle(task.taskId, 'paused');
      await want(task.taskId, 'running');
      await expect(want(task.taskId, 'deleted')).rejects.toMatchObject(refusal);
      await settle(task.taskId, 'failed');
      await expect(want(task.taskId, 'deleted', { discardBacklog: true })).resolves.toMatchObject({
        desired: 'deleted',
        status: 'deleting',
        discardBacklog: true,
      });
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 0 });
    });

    it('takes a deletion as final, and a second one as the first', async () => {
      const task = await paused();
      const deleting = await want(task.taskId, 'deleted');
      expect(await want(task.taskId, 'deleted')).toEqual(deleting);
      await want(task.taskId, 'deleted', { discardBacklog: true });
      expect(await kit.tasks.get(task.taskId)).toMatchObject({ status: 'deleting', discardBacklog: true });
      await expect(want(task.taskId, 'running')).rejects.toMatchObject({ code: 'TASK_DELETING' });
      await expect(want(task.taskId, 'paused')).rejects.toMatchObject({ code: 'TASK_DELETING' });
    });

    it('refuses another version when one is expected', async () => {
      const task = await paused();
      await expect(want(task.taskId, 'deleted', { expectedVersion: 2 })).rejects.toMatchObject({
        status: 412,
        extensions: { currentVersion: 1 },
      });
    });

    it('refuses a task that does not exist', async () => {
      await expect(want(ulid(), 'running')).rejects.toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' });
    });
  });
}

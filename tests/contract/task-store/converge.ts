import { describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { newTaskWith } from '../../helpers/tasks.ts';
import { at, MINUTE_MS, type TaskStoreKit } from './kit.ts';

/** Converge's side: leases, progress, the last step of a deletion; and the data plane's reports. */
export function describeConverge(kit: TaskStoreKit): void {
  const { created, paused, running, want, codesOf, leased } = kit;
  const resources = {
    queue: { url: 'https://sqs.example/q', arn: 'arn:aws:sqs:eu-west-1:123456789012:q', specHash: 'h' },
    rules: {
      0: { name: 'r', region: 'eu-west-1', topicFilter: 'a/+', specHash: 'h', enabled: false },
    },
  };
  const reason = { code: 'HOLDING', message: 'the mapping is disabled', hint: 'look at it', at };

  describe('leases', () => {
    it('gives a task to one holder at a time, by rising epochs', async () => {
      const { taskId } = await created();
      const granted = await Promise.all(
        ['a', 'b', 'c', 'd'].map((owner) => kit.tasks.acquireLease(taskId, owner, MINUTE_MS)),
      );
      const [first, ...others] = granted.filter((lease) => lease !== undefined);
      expect(first).toMatchObject({ taskId, epoch: 1, expiresAtMs: kit.stores.clock.now() + MINUTE_MS });
      expect(others).toEqual([]);
      kit.stores.clock.advance(MINUTE_MS);
      expect(await kit.tasks.acquireLease(taskId, 'e', MINUTE_MS)).toMatchObject({ owner: 'e', epoch: 2 });
    });

    it('gives it again to the owner whose first answer was lost', async () => {
      const { taskId } = await created();
      await kit.tasks.acquireLease(taskId, 'a', MINUTE_MS);
      expect(await kit.tasks.acquireLease(taskId, 'a', MINUTE_MS)).toMatchObject({ owner: 'a' });
    });

    it('can be renewed, and released before its time', async () => {
      const { taskId } = await created();
      const lease = await leased({ taskId });
      kit.stores.clock.advance(MINUTE_MS / 2);
      expect(await kit.tasks.renewLease(lease, MINUTE_MS)).toEqual({
        ...lease,
        expiresAtMs: kit.stores.clock.now() + MINUTE_MS,
      });
      expect(await kit.tasks.acquireLease(taskId, 'b', MINUTE_MS)).toBeUndefined();
      await kit.tasks.releaseLease(lease);
      await kit.tasks.releaseLease(lease);
      expect(await kit.tasks.acquireLease(taskId, 'b', MINUTE_MS)).toMatchObject({ epoch: 2 });
    });

    it('fences a holder that slept', async () => {
      const task = await created();
      const old = await leased(task);
      kit.stores.clock.advance(2 * MINUTE_MS);
      const fresh = await kit.tasks.acquireLease(task.taskId, 'b', MINUTE_MS);
      expect(await kit.tasks.renewLease(old, MINUTE_MS)).toBeUndefined();
      expect(await kit.tasks.saveProgress(old, { status: 'failed' })).toBeUndefined();
      await kit.tasks.releaseLease(old);
      expect(await kit.tasks.acquireLease(task.taskId, 'c', MINUTE_MS)).toBeUndefined();
      expect(fresh && (await kit.tasks.saveProgress(fresh, { status: 'paused' }))).toMatchObject({
        status: 'paused',
      });
    });

    it('does not exist for a task that does not', async () => {
      expect(await kit.tasks.acquireLease(ulid(), 'a', MINUTE_MS)).toBeUndefined();
    });
  });

  describe('saveProgress', () => {
    it('records what converge did and leaves what the user wants', async () => {
      const task = await created({ desired: 'running' });
      const lease = await leased(task);
      const saved = await kit.tasks.saveProgress(lease, {
        status: 'degraded',
        reason,
        resources,
        observedVersion: 1,
      });
      expect(saved).toEqual({ ...task, status: 'degraded', reason, resources, observedVersion: 1 });
      expect(await kit.tasks.get(task.taskId)).toEqual(saved);
      const { reason: _, ...rest } = { ...saved, status: 'running' };
      expect(await kit.tasks.saveProgress(lease, { status: 'running', reason: null })).toEqual(rest);
    });

    it('drops a status of an earlier wish, but keeps the resources', async () => {
      const task = await running();
      const lease = await leased(task);
      await want(task.taskId, 'paused');
      const saved = await kit.tasks.saveProgress(lease, { status: 'degraded', reason, resources });
      expect(saved).toMatchObject({ desired: 'paused', status: 'pausing', resources });
      expect(saved).not.toHaveProperty('reason');
      expect(await kit.tasks.saveProgress(lease, { status: 'running' })).toEqual(saved);
    });

    it('may leave the status as it is', async () => {
      const task = await running();
      const saved = await kit.tasks.saveProgress(await leased(task), { resources, observedVersion: 1 });
      expect(saved).toEqual({ ...task, resources, observedVersion: 1 });
    });
  });

  describe('holdUnits', () => {
    const used = async () => (await kit.stores.stack.read()).usedConcurrency;
    /** Reserves nothing by itself. */
    const session = () => {
      const { definition } = newTaskWith();
      return { definition: { ...definition, options: { ...definition.options, via: 'session' as const } } };
    };

    it('holds what is free, again what is held already, and gives it back', async () => {
      const task = await running(session());
      const lease = await leased(task);
      expect(await used()).toBe(0);
      expect(await kit.tasks.holdUnits(lease, 2, 2)).toBe(true);
      expect(await kit.tasks.holdUnits(lease, 2, 2)).toBe(true);
      expect(await used()).toBe(2);
      expect(await kit.tasks.get(task.taskId)).toEqual(task);
      expect(await kit.tasks.holdUnits(lease, 0, 0)).toBe(true);
      expect(await used()).toBe(0);
    });

    it('refuses more than is free, and changes nothing then', async () => {
      await created({ desired: 'running' });
      const before = await used();
      const lease = await leased(await running(session()));
      expect(await kit.tasks.holdUnits(lease, 2, before + 1)).toBe(false);
      expect(await used()).toBe(before);
      expect(await kit.tasks.holdUnits(lease, 2, before + 2)).toBe(true);
    });

    it('holds nothing for a task that is not wanted running; a pause gives back what it held', async () => {
      const task = await running(session());
      const lease = await leased(task);
      await kit.tasks.holdUnits(lease, 2, 10);
      await want(task.taskId, 'paused');
      expect(await used()).toBe(0);
      expect(await kit.tasks.holdUnits(lease, 2, 10)).toBe(false);
      expect(await kit.tasks.holdUnits(lease, 0, 10)).toBe(true);
      expect(await used()).toBe(0);
    });

    it('needs the lease', async () => {
      const lease = await leased(await running(session()));
      await expect(kit.tasks.holdUnits({ ...lease, epoch: lease.epoch - 1 }, 2, 10)).rejects.toMatchObject({
        code: 'LEASE_LOST',
      });
      expect(await used()).toBe(0);
    });
  });

  describe('reportHealth', () => {
    const away = { code: 'TARGET_UNAVAILABLE', message: 'no answer', at, about: 'target' } as const;

    it('moves between running and degraded', async () => {
      const { taskId } = await running();
      expect(await kit.tasks.reportHealth(taskId, { status: 'degraded', reason: away })).toBe(true);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'degraded', reason: away });
      expect(await kit.tasks.reportHealth(taskId, { status: 'running' })).toBe(true);
      expect(await kit.tasks.reportHealth(taskId, { status: 'running' })).toBe(false);
      const healthy = await kit.tasks.get(taskId);
      expect(healthy).toMatchObject({ status: 'running' });
      expect(healthy).not.toHaveProperty('reason');
    });

    it('keeps the time since when a reason holds, and takes another one', async () => {
      const { taskId } = await running();
      await kit.tasks.reportHealth(taskId, { status: 'degraded', reason: away });
      const later = { ...away, at: new Date(Date.now() + MINUTE_MS).toISOString() };
      expect(await kit.tasks.reportHealth(taskId, { status: 'degraded', reason: later })).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ reason: away });
      const other = { ...later, code: 'TARGET_THROTTLED' };
      expect(await kit.tasks.reportHealth(taskId, { status: 'degraded', reason: other })).toBe(true);
      expect(await kit.tasks.get(taskId)).toMatchObject({ reason: other });
    });

    it('leaves a reason alone that the control plane gave', async () => {
      const task = await running();
      const lease = await leased(task);
      await kit.tasks.saveProgress(lease, { status: 'degraded', reason });
      expect(await kit.tasks.reportHealth(task.taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.reportHealth(task.taskId, { status: 'degraded', reason: away })).toBe(false);
      expect(await kit.tasks.get(task.taskId)).toMatchObject({ status: 'degraded', reason });
    });

    it('leaves a reason alone that a lane gave of the source', async () => {
      const { taskId } = await running();
      const lost = { ...away, code: 'CONNECTION_CLOSED', about: 'source' } as const;
      expect(await kit.tasks.reportLane(taskId, { status: 'degraded', reason: lost })).toBe(true);
      expect(await kit.tasks.reportHealth(taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.reportHealth(taskId, { status: 'degraded', reason: away })).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'degraded', reason: lost });
      expect(await kit.tasks.reportLane(taskId, { status: 'running' })).toBe(true);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'running' });
    });

    it('says nothing of a task that is neither', async () => {
      const { taskId } = await paused();
      expect(await kit.tasks.reportHealth(taskId, { status: 'degraded', reason: away })).toBe(false);
      expect(await kit.tasks.reportHealth(taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'paused' });
      expect(await kit.tasks.reportHealth(ulid(), { status: 'running' })).toBe(false);
    });
  });

  describe('reportLane', () => {
    const away = { code: 'TARGET_UNAVAILABLE', message: 'no answer', at, about: 'target' } as const;
    const starting = async () => {
      const { taskId } = await created({ desired: 'running' });
      await kit.settle(taskId, 'starting');
      return taskId;
    };

    it('tells of a starting task that it runs, once', async () => {
      const taskId = await starting();
      expect(await kit.tasks.reportLane(taskId, { status: 'running' })).toBe(true);
      expect(await kit.tasks.reportLane(taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'running' });
    });

    it('tells why a starting task does not run yet, and takes it back', async () => {
      const taskId = await starting();
      expect(await kit.tasks.reportLane(taskId, { status: 'degraded', reason: away })).toBe(true);
      expect(await kit.tasks.reportLane(taskId, { status: 'degraded', reason: away })).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'degraded', reason: away });
      const other = { ...away, code: 'CREDENTIALS_REFUSED' };
      expect(await kit.tasks.reportLane(taskId, { status: 'degraded', reason: other })).toBe(true);
      expect(await kit.tasks.reportLane(taskId, { status: 'running' })).toBe(true);
      const healthy = await kit.tasks.get(taskId);
      expect(healthy).toMatchObject({ status: 'running' });
      expect(healthy).not.toHaveProperty('reason');
    });

    it('fails a task for good: only its user starts it again', async () => {
      const taskId = await starting();
      await kit.tasks.reportLane(taskId, { status: 'degraded', reason: away });
      const taken = { code: 'CLIENT_ID_TAKEN', message: 'another client has our id', at };
      expect(await kit.tasks.reportLane(taskId, { status: 'failed', reason: taken })).toBe(true);
      expect(await kit.tasks.reportLane(taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'failed', reason: taken });
      expect(await want(taskId, 'running')).toMatchObject({ status: 'starting' });
    });

    it('says nothing of a task that is wanted otherwise, nor over a reason of the control plane', async () => {
      const { taskId } = await running();
      await want(taskId, 'paused');
      expect(await kit.tasks.reportLane(taskId, { status: 'degraded', reason: away })).toBe(false);
      expect(await kit.tasks.reportLane(ulid(), { status: 'running' })).toBe(false);
      const task = await running();
      await kit.tasks.saveProgress(await leased(task), { status: 'degraded', reason });
      expect(await kit.tasks.reportLane(task.taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.get(task.taskId)).toMatchObject({ status: 'degraded', reason });
    });
  });

  describe('reportCanary', () => {
    const away = { code: 'TARGET_UNAVAILABLE', message: 'no answer', at, about: 'target' } as const;
    const missing = { code: 'CANARY_FAILED', message: 'none came', at, about: 'canary' } as const;
    const canaryFailed = { status: 'degraded', reason: missing } as const;

    it('moves between running and degraded, and tells a change once', async () => {
      const { taskId } = await running();
      expect(await kit.tasks.reportCanary(taskId, { status: 'running' })).toBe(false);
      expect(await kit.tasks.reportCanary(taskId, canaryFailed)).toBe(true);
      expect(await kit.tasks.reportCanary(taskId, canaryFailed)).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject(canaryFailed);
      const other = { ...missing, message: 'the target has no such topic' };
      expect(await kit.tasks.reportCanary(taskId, { status: 'degraded', reason: other })).toBe(true);
      expect(await kit.tasks.reportCanary(taskId, { status: 'running' })).toBe(true);
      const healthy = await kit.tasks.get(taskId);
      expect(healthy).toMatchObject({ status: 'running' });
      expect(healthy).not.toHaveProperty('reason');
    });

    it.each(['reportHealth', 'reportLane'] as const)(
      'gives way to what %s knows of an end',
      async (report) => {
        const { taskId } = await running();
        await kit.tasks.reportCanary(taskId, canaryFailed);
        await kit.tasks[report](taskId, { status: 'running' });
        expect(await kit.tasks.get(taskId)).toMatchObject(canaryFailed);
        await kit.tasks[report](taskId, { status: 'degraded', reason: away });
        expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'degraded', reason: away });
        expect(await kit.tasks.reportCanary(taskId, canaryFailed)).toBe(false);
        expect(await kit.tasks.reportCanary(taskId, { status: 'running' })).toBe(false);
        expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'degraded', reason: away });
      },
    );

    it('says nothing of a task that is not wanted running, nor of none', async () => {
      const { taskId } = await paused();
      expect(await kit.tasks.reportCanary(taskId, canaryFailed)).toBe(false);
      expect(await kit.tasks.reportCanary(ulid(), canaryFailed)).toBe(false);
      expect(await kit.tasks.get(taskId)).toMatchObject({ status: 'paused' });
    });
  });

  describe('reportOverflow', () => {
    it('marks the task, and takes the mark away', async () => {
      const { taskId } = await running();
      await kit.tasks.reportOverflow(taskId, true);
      expect(await kit.tasks.get(taskId)).toMatchObject({ overflowing: true });
      await kit.tasks.reportOverflow(taskId, false);
      expect(await kit.tasks.get(taskId)).not.toHaveProperty('overflowing');
      await kit.tasks.reportOverflow(ulid(), true);
    });
  });

  describe('cancelDeletion', () => {
    it('is refused where what waits may be discarded by now', async () => {
      const { taskId } = await paused();
      await want(taskId, 'deleted');
      const task = await kit.tasks.get(taskId);
      if (task === undefined) throw new Error('it is there');
      const lease = await leased(task);
      await want(taskId, 'deleted', { discardBacklog: true });
      await expect(kit.tasks.cancelDeletion(lease, reason)).rejects.toMatchObject({ code: 'LEASE_LOST' });
      expect(await kit.tasks.get(taskId)).toMatchObject({ desired: 'deleted', discardBacklog: true });
    });

    it('brings the task back, paused, with the reason', async () => {
      const task = await paused();
      await want(task.taskId, 'deleted');
      const back = await kit.tasks.cancelDeletion(await leased(task), reason);
      expect(back).toMatchObject({ desired: 'paused', status: 'paused', reason });
      expect(await kit.tasks.get(task.taskId)).toEqual(back);
      expect(await want(task.taskId, 'running')).toMatchObject({ status: 'starting' });
    });

    it('needs the lease, and a deletion', async () => {
      const task = await paused();
      const lease = await leased(task);
      await expect(kit.tasks.cancelDeletion(lease, reason)).rejects.toMatchObject({ code: 'LEASE_LOST' });
      await want(task.taskId, 'deleted');
      await expect(
        kit.tasks.cancelDeletion({ ...lease, epoch: lease.epoch - 1 }, reason),
      ).rejects.toMatchObject({ code: 'LEASE_LOST' });
    });
  });

  describe('remove', () => {
    it('frees name, clusters and topic, and keeps the events', async () => {
      const task = await paused({ rocketmqTopic: 'charger_status' });
      await want(task.taskId, 'deleted');
      const lease = await leased(task);
      await kit.tasks.remove(lease);
      await kit.tasks.remove(lease);
      expect(await kit.tasks.get(task.taskId)).toBeUndefined();
      expect((await kit.tasks.list({}, { limit: 10 })).items).toEqual([]);
      expect(await codesOf(task.taskId)).toEqual(['DELETION_REQUESTED', 'TASK_CREATED']);
      await expect(created({ definition: task.definition })).resolves.toBeDefined();
      await kit.stores.clusters.deleteTopic('business', 'charger_status');
    });

    it('needs the lease, and a deletion', async () => {
      const task = await paused();
      const lease = await leased(task);
      await expect(kit.tasks.remove(lease)).rejects.toMatchObject({ code: 'LEASE_LOST' });
      await want(task.taskId, 'deleted');
      await expect(kit.tasks.remove({ ...lease, epoch: lease.epoch - 1 })).rejects.toMatchObject({
        code: 'LEASE_LOST',
      });
      expect(await kit.tasks.get(task.taskId)).toBeDefined();
    });

    it('makes the key of its creation unusable instead of repeating a deleted task', async () => {
      const idempotency = { key: 'k', requestHash: 'h' };
      const task = await paused({ idempotency });
      await want(task.taskId, 'deleted');
      await kit.tasks.remove(await leased(task));
      await expect(created({ idempotency })).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    });
  });
}

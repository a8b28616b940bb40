import { describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { definitionWith, newTaskWith } from '../../helpers/tasks.ts';
import { MINUTE_MS, type TaskStoreKit } from './kit.ts';

/** Creation, and its repetition with one idempotency key. */
export function describeCreate(kit: TaskStoreKit): void {
  const { created, settle, codesOf } = kit;

  describe('create', () => {
    it('records task, revision and event', async () => {
      const input = newTaskWith({ actor: 'arn:aws:iam::123456789012:user/ops', desired: 'running' });
      const { task, replayed } = await kit.tasks.create(input);
      expect(replayed).toBe(false);
      expect(task).toEqual({
        taskId: input.taskId,
        definition: input.definition,
        direction: 'mqtt-to-rocketmq',
        sourceRegion: 'eu-west-1',
        desired: 'running',
        status: 'creating',
        version: 1,
        createdAt: input.at,
        updatedAt: input.at,
        startedAt: input.at,
        resources: { rules: {} },
      });
      expect(await kit.tasks.get(task.taskId)).toEqual(task);
      expect(await kit.tasks.getRevision(task.taskId, 1)).toEqual({
        version: 1,
        definition: input.definition,
        at: input.at,
        actor: input.actor,
      });
      const { items } = await kit.tasks.listEvents(task.taskId, { limit: 10 });
      expect(items).toEqual([
        expect.objectContaining({ code: 'TASK_CREATED', at: input.at, actor: input.actor }),
      ]);
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 5 });
    });

    it('refuses a name that is taken, and changes nothing', async () => {
      const { definition } = await created();
      await expect(created({ definition, desired: 'running' })).rejects.toMatchObject({
        status: 409,
        code: 'TASK_NAME_TAKEN',
      });
      expect((await kit.tasks.list({}, { limit: 10 })).items).toHaveLength(1);
      expect(await kit.stores.stack.read()).toMatchObject({ usedConcurrency: 0 });
    });

    it('lets exactly one of 20 parallel creations have the name', async () => {
      const definition = definitionWith();
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => created({ definition })));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused.map(({ reason }) => reason.code)).toEqual(Array(19).fill('TASK_NAME_TAKEN'));
      expect((await kit.tasks.list({}, { limit: 100 })).items).toHaveLength(1);
    });

    it.each([
      ['source', { source: { clusterId: 'nobody', topicFilters: ['a'] } }],
      ['target', { target: { clusterId: 'nobody', topic: 'charger_status' } }],
    ])('refuses an unknown %s cluster', async (_end, changes) => {
      await expect(created({ definition: definitionWith(changes) })).rejects.toMatchObject({
        status: 404,
        code: 'CLUSTER_NOT_FOUND',
      });
    });

    it('refuses when the source cluster has moved to another region', async () => {
      await expect(created({ sourceRegion: 'us-east-1' })).rejects.toMatchObject({
        status: 409,
        code: 'CLUSTER_CHANGED',
      });
    });

    it('refuses a literal target topic that is not registered', async () => {
      await expect(created({ rocketmqTopic: 'unknown' })).rejects.toMatchObject({
        status: 404,
        code: 'TOPIC_NOT_FOUND',
      });
    });

    it('refuses to reserve more concurrency than is free, and tells how much is', async () => {
      await created({ desired: 'running', concurrencyLimit: 8 });
      await expect(created({ desired: 'running', concurrencyLimit: 8 })).rejects.toMatchObject({
        status: 409,
        code: 'CONCURRENCY_EXHAUSTED',
        extensions: { needed: 5, free: 3, limit: 8 },
      });
      await expect(created({ desired: 'paused', concurrencyLimit: 8 })).resolves.toBeDefined();
    });
  });

  describe('idempotent create', () => {
    const idempotency = { key: 'order-7', requestHash: 'a' };

    it('answers the first task again, whatever has become of it', async () => {
      const input = newTaskWith({ idempotency });
      await kit.tasks.create(input);
      await settle(input.taskId, 'paused');
      const again = await kit.tasks.create({ ...input, taskId: ulid() });
      expect(again).toMatchObject({ replayed: true, task: { taskId: input.taskId, status: 'paused' } });
      expect(await codesOf(input.taskId)).toEqual(['TASK_CREATED']);
      expect(await kit.tasks.findReplay(idempotency)).toMatchObject({ taskId: input.taskId });
    });

    it('makes one task of 10 parallel requests with one key', async () => {
      const definition = definitionWith();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => kit.tasks.create(newTaskWith({ definition, idempotency }))),
      );
      expect(new Set(answers.map(({ task }) => task.taskId)).size).toBe(1);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    });

    it('refuses the key for another request', async () => {
      await created({ idempotency });
      const other = { ...idempotency, requestHash: 'b' };
      await expect(created({ idempotency: other })).rejects.toMatchObject({
        status: 409,
        code: 'IDEMPOTENCY_KEY_REUSED',
      });
      await expect(kit.tasks.findReplay(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    });

    it('forgets the key after 24 hours, not before', async () => {
      const first = await created({ idempotency });
      kit.stores.clock.advance(24 * 60 * MINUTE_MS - 1_000);
      expect((await kit.tasks.create(newTaskWith({ idempotency }))).task.taskId).toBe(first.taskId);
      kit.stores.clock.advance(2_000);
      expect(await kit.tasks.findReplay(idempotency)).toBeUndefined();
      const second = await kit.tasks.create(newTaskWith({ idempotency }));
      expect(second.replayed).toBe(false);
      expect(second.task.taskId).not.toBe(first.taskId);
    });

    it('knows nothing of a key that was never used', async () => {
      expect(await kit.tasks.findReplay({ key: 'other', requestHash: 'a' })).toBeUndefined();
    });
  });
}

import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

describe('createCreateTask', () => {
  let world: ControlWorld;
  beforeEach(async () => {
    world = await createControlWorld();
  });

  it('records the task, wakes converge and answers with the warnings', async () => {
    const body = definitionWith();
    const { task, replayed, warnings } = await world.createTask({ body, startNow: true, actor: 'ops' });
    expect(task).toMatchObject({
      definition: body,
      direction: 'mqtt-to-rocketmq',
      sourceRegion: 'eu-west-1',
      desired: 'running',
      status: 'creating',
      version: 1,
    });
    expect(task.taskId).toMatch(/^[0-9A-Z]{26}$/);
    expect(replayed).toBe(false);
    expect(warnings.map(({ code }) => code)).toEqual(['NOT_SEEN_ON_THIS_PATH']);
    expect(world.controlQueue.woken).toEqual([task.taskId]);
    const { items } = await world.tasks.listEvents(task.taskId, { limit: 1 });
    expect(items).toEqual([expect.objectContaining({ code: 'TASK_CREATED', actor: 'ops' })]);
  });

  it('leaves the task paused unless it is to start now', async () => {
    const { task } = await world.createTask({ body: definitionWith(), startNow: false });
    expect(task).toMatchObject({ desired: 'paused' });
    expect(task).not.toHaveProperty('startedAt');
  });

  it('counts the literal target topic as used', async () => {
    await world.createTask({ body: definitionWith(), startNow: false });
    await expect(world.clusters.deleteTopic('business', 'charger_status')).rejects.toMatchObject({
      code: 'TOPIC_IN_USE',
    });
  });

  it('refuses what breaks a rule, and records nothing', async () => {
    const body = definitionWith({ source: { clusterId: 'devices', topicFilters: ['a/#/b'] } });
    await expect(world.createTask({ body, startNow: false })).rejects.toMatchObject({
      status: 400,
      code: 'TOPIC_FILTER_INVALID',
      errors: [expect.objectContaining({ field: 'source.topicFilters[0]' })],
    });
    expect((await world.tasks.list({}, { limit: 1 })).items).toEqual([]);
    expect(world.controlQueue.woken).toEqual([]);
  });

  it('answers although converge could not be woken: the tick is the net', async () => {
    world.controlQueue.failWith(new Error('SQS is away'));
    const { task } = await world.createTask({ body: definitionWith(), startNow: false });
    expect(await world.getTask(task.taskId)).toEqual(task);
    expect(world.logged).toEqual(['converge was not woken, the tick will find the task']);
  });

  it('refuses while the stack is being removed', async () => {
    await world.stack.markRemoving('2026-08-01T10:00:00.000Z');
    await expect(world.createTask({ body: definitionWith(), startNow: false })).rejects.toMatchObject({
      status: 409,
      code: 'STACK_REMOVING',
    });
  });

  describe('with an idempotency key', () => {
    it('answers the first task again, even when the rules have changed since', async () => {
      const body = definitionWith();
      const request = { body, startNow: false, idempotencyKey: 'k' };
      const first = await world.createTask(request);
      // The type of the topic changes: the same request would be refused as a new one.
      await world.putTopic({ clusterId: 'business', topic: 'charger_status', type: 'FIFO' });
      const again = await world.createTask(request);
      expect(again).toMatchObject({ replayed: true, task: { taskId: first.task.taskId } });
      expect(world.controlQueue.woken).toEqual([first.task.taskId, first.task.taskId]);
    });

    it('takes requests as equal whatever the order of their members', async () => {
      const body = definitionWith();
      const reordered = { ...Object.fromEntries(Object.entries(body).reverse()) } as typeof body;
      await world.createTask({ body, startNow: false, idempotencyKey: 'k' });
      await expect(
        world.createTask({ body: reordered, startNow: false, idempotencyKey: 'k' }),
      ).resolves.toMatchObject({ replayed: true });
    });

    it.each([
      ['another definition', { body: definitionWith(), startNow: false }],
      ['another start', { startNow: true }],
    ])('refuses the key for %s', async (_what, changes) => {
      const request = { body: definitionWith(), startNow: false, idempotencyKey: 'k' };
      await world.createTask(request);
      await expect(world.createTask({ ...request, ...changes })).rejects.toMatchObject({
        status: 409,
        code: 'IDEMPOTENCY_KEY_REUSED',
      });
    });
  });
});

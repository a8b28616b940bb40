import { beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { TaskStatus } from '../../../../lib/domain/tasks/task.ts';
import { createProbeWorld, type ProbeWorld } from '../../../helpers/probe-world.ts';
import { newTaskWith } from '../../../helpers/tasks.ts';

const TOPIC = 'charger_commands';

describe('createResetPosition', () => {
  let world: ProbeWorld;
  beforeEach(async () => {
    world = await createProbeWorld();
    await world.openAdmin();
    await world.admin.createTopic({ topic: TOPIC, type: 'NORMAL', queues: 1 });
    world.admin.store(TOPIC, [1_000, 2_000, 3_000]);
  });

  const addGroup = (consumerGroup: string) =>
    world.admin.ensureGroup({ consumerGroup, isOrderly: false, retryMaxTimes: 1_000 });
  const reset = (taskId: string, to = 'latest') => world.resetPosition({ taskId, to, actor: 'operator' });
  const unread = async (consumerGroup: string) =>
    (await world.admin.lag({ rocketmqTopic: TOPIC, consumerGroup })).messages;

  it.each([
    { to: 'latest', left: 0 },
    { to: 'earliest', left: 3 },
    { to: '1970-01-01T00:00:02.000Z', left: 2 },
    { to: '2970-01-01T00:00:00.000Z', left: 0 },
  ])('moves the group of a paused task to $to, and keeps that as an event', async ({ to, left }) => {
    const taskId = await world.addPullTask();
    const consumerGroup = `mqferry_${taskId}`;
    await addGroup(consumerGroup);
    world.admin.read(TOPIC, consumerGroup, 1);
    const answer = await reset(taskId, to);
    const at = new Date(world.clock.now()).toISOString();
    expect(answer).toEqual({ taskId, rocketmqTopic: TOPIC, consumerGroup, to, at });
    expect(await unread(consumerGroup)).toBe(left);
    const { items } = await world.tasks.listEvents(taskId, { limit: 10 });
    expect(items.filter(({ code }) => code === 'POSITION_RESET')).toEqual([
      expect.objectContaining({ at, actor: 'operator', details: { to, consumerGroup } }),
    ]);
  });

  it('moves the group that the task names', async () => {
    await addGroup('billing');
    await reset(await world.addPullTask({ consumerGroup: 'billing' }));
    expect(await unread('billing')).toBe(0);
  });

  it.each<TaskStatus>(['running', 'creating', 'failed'])('is refused while a task is %s', async (status) => {
    const taskId = await world.addPullTask({}, status);
    await addGroup(`mqferry_${taskId}`);
    await expect(reset(taskId)).rejects.toMatchObject({ status: 409, code: 'TASK_RUNNING' });
    expect(await unread(`mqferry_${taskId}`)).toBe(3);
  });

  it('is refused for a task that is being deleted', async () => {
    const taskId = await world.addPullTask();
    await world.deleteTask({ taskId, discardBacklog: false });
    await expect(reset(taskId)).rejects.toMatchObject({ status: 409, code: 'TASK_DELETING' });
  });

  it('is for tasks that read RocketMQ', async () => {
    const { task } = await world.tasks.create(newTaskWith());
    await expect(reset(task.taskId)).rejects.toMatchObject({ status: 409, code: 'PULL_TASK_NEEDED' });
    await expect(reset('nobody')).rejects.toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' });
  });

  it('says what to do for a group that was never made', async () => {
    await expect(reset(await world.addPullTask())).rejects.toMatchObject({
      status: 409,
      code: 'GROUP_NOT_FOUND',
    });
  });

  it('keeps no event of what the broker did not do', async () => {
    const taskId = await world.addPullTask();
    world.admin.fail(new BrokerUnavailableError('no answer', { code: 'ADMIN_TIMEOUT' }));
    await expect(reset(taskId)).rejects.toMatchObject({ status: 504, code: 'ADMIN_TIMEOUT' });
    const { items } = await world.tasks.listEvents(taskId, { limit: 10 });
    expect(items.map(({ code }) => code)).not.toContain('POSITION_RESET');
  });
});

describe('createResetPosition without an administration', () => {
  it('says what to do instead', async () => {
    const world = await createProbeWorld();
    const taskId = await world.addPullTask();
    await expect(world.resetPosition({ taskId, to: 'latest' })).rejects.toMatchObject({
      status: 409,
      code: 'NO_ADMIN_PORT',
      message: expect.stringContaining('source.startFrom'),
    });
  });
});

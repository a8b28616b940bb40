import { beforeEach, describe, expect, it } from '@jest/globals';
import { createProbeWorld, type ProbeWorld } from '../../../helpers/probe-world.ts';
import { newTaskWith } from '../../../helpers/tasks.ts';

const TOPIC = 'charger_commands';

describe('createGetLag', () => {
  let world: ProbeWorld;
  beforeEach(async () => {
    world = await createProbeWorld();
    await world.openAdmin();
    await world.admin.createTopic({ topic: TOPIC, type: 'NORMAL', queues: 1 });
  });

  it('counts what the task has not read, and how old the oldest of it is', async () => {
    const taskId = await world.addPullTask({}, 'running');
    const now = world.clock.now();
    world.admin.store(TOPIC, [now - 90_000, now - 60_000, now - 1_000]);
    world.admin.read(TOPIC, `mqferry_${taskId}`, 1);
    expect(await world.getLag(taskId)).toEqual({
      messages: 2,
      oldestAgeSeconds: 60,
      approximate: true,
      at: new Date(now).toISOString(),
    });
    world.admin.read(TOPIC, `mqferry_${taskId}`, 2);
    expect(await world.getLag(taskId)).toEqual({ messages: 0, approximate: true, at: expect.any(String) });
  });

  it('knows no negative age when the broker’s clock is ahead', async () => {
    const taskId = await world.addPullTask();
    world.admin.store(TOPIC, [world.clock.now() + 5_000]);
    expect(await world.getLag(taskId)).toMatchObject({ messages: 1, oldestAgeSeconds: 0 });
  });

  it('is for tasks that read RocketMQ', async () => {
    const { task } = await world.tasks.create(newTaskWith());
    await expect(world.getLag(task.taskId)).rejects.toMatchObject({ status: 409, code: 'PULL_TASK_NEEDED' });
    await expect(world.getLag('nobody')).rejects.toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' });
  });

  it('is refused for a topic that the cluster does not have', async () => {
    const taskId = await world.addPullTask({ topic: 'gone' });
    await expect(world.getLag(taskId)).rejects.toMatchObject({ status: 409, code: 'TOPIC_NOT_FOUND' });
  });

  it('is refused where the cluster cannot be administrated', async () => {
    const other = await createProbeWorld();
    const taskId = await other.addPullTask();
    await expect(other.getLag(taskId)).rejects.toMatchObject({ status: 409, code: 'NO_ADMIN_PORT' });
  });
});

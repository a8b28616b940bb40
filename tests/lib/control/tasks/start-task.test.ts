import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

describe('createStartTask', () => {
  let world: ControlWorld;
  beforeEach(async () => {
    world = await createControlWorld({ ruleConcurrency: 8 });
  });

  const created = async () => {
    const { task } = await world.createTask({ body: definitionWith(), startNow: false });
    await world.settle(task.taskId, 'paused');
    return task;
  };

  it('asks for a run, reserves concurrency and wakes converge; again changes nothing', async () => {
    const { taskId } = await created();
    const started = await world.startTask({ taskId, actor: 'ops' });
    expect(started).toMatchObject({ desired: 'running', status: 'starting' });
    expect(await world.startTask({ taskId })).toEqual(started);
    expect(world.controlQueue.woken).toEqual([taskId, taskId, taskId]);
    expect(await world.stack.read()).toMatchObject({ usedConcurrency: 5 });
  });

  it('refuses beyond the limit of the stack', async () => {
    await world.startTask(await created());
    await expect(world.startTask(await created())).rejects.toMatchObject({
      status: 409,
      code: 'CONCURRENCY_EXHAUSTED',
      extensions: { needed: 5, free: 3, limit: 8 },
    });
  });

  it('refuses beyond what the account leaves unreserved', async () => {
    await world.stack.recordUnreservedConcurrency(4, '2026-08-01T10:00:00.000Z');
    await expect(world.startTask(await created())).rejects.toMatchObject({
      code: 'CONCURRENCY_EXHAUSTED',
      extensions: { free: 4, limit: 4 },
    });
  });

  it('refuses while the stack is being removed', async () => {
    const task = await created();
    await world.stack.markRemoving(task.createdAt);
    await expect(world.startTask(task)).rejects.toMatchObject({ code: 'STACK_REMOVING' });
  });
});

describe('createPauseTask', () => {
  it('asks for a pause, gives the concurrency back and wakes converge; again changes nothing', async () => {
    const world = await createControlWorld();
    const { task } = await world.createTask({ body: definitionWith(), startNow: true });
    await world.settle(task.taskId, 'running');
    const paused = await world.pauseTask({ taskId: task.taskId, actor: 'ops' });
    expect(paused).toMatchObject({ desired: 'paused', status: 'pausing' });
    expect(await world.pauseTask({ taskId: task.taskId })).toEqual(paused);
    expect(await world.stack.read()).toMatchObject({ usedConcurrency: 0 });
    expect(world.controlQueue.woken).toHaveLength(3);
  });

  it('refuses a task that is not there', async () => {
    const world = await createControlWorld();
    await expect(world.pauseTask({ taskId: 'nobody' })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });
});

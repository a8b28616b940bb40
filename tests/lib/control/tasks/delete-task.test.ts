import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

describe('createDeleteTask', () => {
  let world: ControlWorld;
  let taskId: string;

  beforeEach(async () => {
    world = await createControlWorld();
    taskId = (await world.createTask({ body: definitionWith(), startNow: false })).task.taskId;
    await world.settle(taskId, 'paused');
    world.controlQueue.woken.length = 0;
  });

  const remove = (changes: object = {}) => world.deleteTask({ taskId, discardBacklog: false, ...changes });
  const lastEvent = async () => (await world.tasks.listEvents(taskId, { limit: 1 })).items[0];

  it('asks for the deletion and wakes converge; again changes nothing', async () => {
    const deleting = await remove({ actor: 'ops' });
    expect(deleting).toMatchObject({ desired: 'deleted', status: 'deleting' });
    expect(deleting).not.toHaveProperty('discardBacklog');
    world.queueCounter.set({ waiting: 1, inFlight: 0 });
    expect(await remove()).toEqual(deleting);
    expect(world.controlQueue.woken).toEqual([taskId, taskId]);
    expect(await lastEvent()).toMatchObject({ code: 'DELETION_REQUESTED', actor: 'ops' });
  });

  it('refuses a backlog that nobody allowed to discard, with its count', async () => {
    world.queueCounter.set({ waiting: 5, inFlight: 2 });
    await expect(remove()).rejects.toMatchObject({
      status: 409,
      code: 'BACKLOG_NOT_EMPTY',
      extensions: { backlog: { messages: 7, approximate: true } },
    });
    expect(await world.getTask(taskId)).toMatchObject({ desired: 'paused' });
  });

  it('records how many messages are thrown away', async () => {
    world.queueCounter.set({ waiting: 5, inFlight: 2 });
    expect(await remove({ discardBacklog: true })).toMatchObject({ discardBacklog: true });
    expect(await lastEvent()).toMatchObject({ details: { discardedMessages: 7, approximate: true } });
  });

  it('may throw away what came since a deletion was asked for', async () => {
    await remove();
    world.queueCounter.set({ waiting: 3, inFlight: 0 });
    expect(await remove({ discardBacklog: true })).toMatchObject({
      status: 'deleting',
      discardBacklog: true,
    });
    expect(await world.getTask(taskId)).toMatchObject({ discardBacklog: true });
    expect(await lastEvent()).toMatchObject({ details: { discardedMessages: 3, approximate: true } });
  });

  it('takes a queue that is gone as empty, one that cannot be counted as a reason to stop', async () => {
    world.queueCounter.set(new Error('SQS is away'));
    await expect(remove({ discardBacklog: true })).rejects.toMatchObject({
      status: 503,
      code: 'BACKLOG_UNKNOWN',
    });
    world.queueCounter.set(undefined);
    await expect(remove()).resolves.toMatchObject({ status: 'deleting' });
  });

  it('refuses a running task before it looks at the queue', async () => {
    await world.startTask({ taskId });
    world.queueCounter.set(new Error('not to be asked'));
    await expect(remove()).rejects.toMatchObject({ status: 409, code: 'TASK_RUNNING' });
  });

  it('deletes a failed task', async () => {
    await world.startTask({ taskId });
    await world.settle(taskId, 'failed');
    await expect(remove()).resolves.toMatchObject({ status: 'deleting' });
    expect(await world.stack.read()).toMatchObject({ usedConcurrency: 0 });
  });

  it('refuses another version, and a task that is not there', async () => {
    await expect(remove({ expectedVersion: 2 })).rejects.toMatchObject({ status: 412 });
    await expect(remove({ taskId: 'nobody' })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });
});

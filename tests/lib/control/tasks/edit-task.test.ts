import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { TaskPatch } from '../../../../lib/domain/tasks/task-patch.ts';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { definitionWith, devices } from '../../../helpers/tasks.ts';

describe('createEditTask', () => {
  let world: ControlWorld;
  let task: Task;

  beforeEach(async () => {
    world = await createControlWorld();
    const body = definitionWith({ description: 'old', options: { concurrency: 7 } });
    task = (await world.createTask({ body, startNow: false })).task;
    await world.settle(task.taskId, 'paused');
    world.controlQueue.woken.length = 0;
  });

  const edit = (patch: TaskPatch, expectedVersion: number | undefined = 1) =>
    world.editTask({ taskId: task.taskId, expectedVersion, patch, actor: 'ops' });

  it('merges the patch into the definition', async () => {
    const edited = await edit({
      description: null,
      target: { tag: 'status' },
      options: { batch: { maxWaitSeconds: 2 } },
    });
    const { description: _, ...definition } = task.definition;
    expect(edited.task).toMatchObject({ version: 2, desired: 'paused', status: 'paused' });
    expect(edited.task.definition).toEqual({
      ...definition,
      target: { ...definition.target, tag: 'status' },
      options: { ...definition.options, batch: { maxMessages: 10, maxWaitSeconds: 2 } },
    });
    expect(edited.warnings.map(({ code }) => code)).toContain('BATCH_MAY_WAIT');
    expect(world.controlQueue.woken).toEqual([task.taskId]);
    const { items } = await world.tasks.listEvents(task.taskId, { limit: 1 });
    expect(items[0]).toMatchObject({
      code: 'TASK_EDITED',
      actor: 'ops',
      details: { changed: ['description', 'target', 'options'], affectsBuffered: 0 },
    });
  });

  it('replaces the retries as a whole where a preset is named, and merges them where none is', async () => {
    const retry = { preset: 'custom', maxTries: 5, firstWaitSeconds: 1, longestWaitSeconds: 9 };
    await edit({ options: { retry } });
    const merged = await edit({ options: { retry: { maxTries: 6 } } }, 2);
    expect(merged.task.definition.options.retry).toEqual({ ...retry, maxTries: 6 });
    const replaced = await edit({ options: { retry: { preset: 'backoff' } } }, 3);
    expect(replaced.task.definition.options).toMatchObject({ retry: { preset: 'backoff' }, concurrency: 7 });
    const removed = await edit({ options: { retry: null } }, 4);
    expect(removed.task.definition.options.retry).toEqual({ preset: 'unlimited' });
  });

  it('puts the defaults back where options are removed', async () => {
    const edited = await edit({ options: null });
    expect(edited.task.definition.options).toEqual({ ...definitionWith().options, via: 'rule' });
  });

  it('knows no actor where the API knows none', async () => {
    await world.editTask({ taskId: task.taskId, expectedVersion: 1, patch: { description: 'x' } });
    const { items } = await world.tasks.listEvents(task.taskId, { limit: 1 });
    expect(items[0]).not.toHaveProperty('actor');
  });

  it('makes no revision of an edit that changes nothing', async () => {
    const edited = await edit({ description: 'old', options: { concurrency: 7 } });
    expect(edited).toMatchObject({ task: { version: 1 }, affectsBuffered: 0 });
    expect((await world.tasks.listRevisions(task.taskId, { limit: 10 })).items).toHaveLength(1);
    expect(world.controlQueue.woken).toEqual([]);
  });

  it('tells how many buffered messages will go through the new definition', async () => {
    world.queueCounter.set({ waiting: 3, inFlight: 1 });
    expect(await edit({ target: { tag: 'x' } })).toMatchObject({ affectsBuffered: 4 });
  });

  it('does not count where no message is affected', async () => {
    world.queueCounter.set(new Error('not to be asked'));
    expect(await edit({ description: 'new' })).toMatchObject({ affectsBuffered: 0 });
  });

  it('refuses another source cluster while messages of the old one wait', async () => {
    await world.clusters.put('other', devices, { at: task.createdAt });
    world.queueCounter.set({ waiting: 3, inFlight: 0 });
    await expect(edit({ source: { clusterId: 'other' } })).rejects.toMatchObject({
      status: 409,
      code: 'BACKLOG_NOT_EMPTY',
      extensions: { backlog: { messages: 3, approximate: true } },
    });
    world.queueCounter.set({ waiting: 0, inFlight: 0 });
    expect((await edit({ source: { clusterId: 'other' } })).task.definition.source.clusterId).toBe('other');
  });

  it.each([
    ['path', {}, { via: 'session' }],
    ['ordering', { via: 'session' }, { ordering: 'topic' }],
  ])('refuses another %s while messages wait', async (_, before, after) => {
    await world.clusters.putTopic('business', 'charger_status', 'FIFO', { at: task.createdAt });
    await edit({ target: { messageGroup: '${topic}' }, options: before });
    const current = await world.getTask(task.taskId);
    world.queueCounter.set({ waiting: 1, inFlight: 0 });
    await expect(edit({ options: after }, current.version)).rejects.toMatchObject({
      code: 'BACKLOG_NOT_EMPTY',
    });
    world.queueCounter.set({ waiting: 0, inFlight: 0 });
    expect((await edit({ options: after }, current.version)).task.definition.options).toMatchObject(after);
  });

  it.each([
    ['message group', { messageGroup: '${topic}' }, { messageGroup: '${topic[1]}' }, 'topic'],
    [
      'message group, which stood above the keys,',
      { messageGroup: '${topic}' },
      { messageGroup: null },
      'key',
    ],
    ['keys that make the message group', {}, { keys: ['${topic}'] }, 'key'],
  ])('refuses another %s while messages wait in order', async (_, before, after, ordering) => {
    await world.clusters.putTopic('business', 'charger_status', 'FIFO', { at: task.createdAt });
    const keys = ['${topic[1]}'];
    await edit({ target: { keys, ...before }, options: { via: 'session', ordering } } as TaskPatch);
    const { version } = await world.getTask(task.taskId);
    world.queueCounter.set({ waiting: 1, inFlight: 0 });
    await expect(edit({ target: after } as TaskPatch, version)).rejects.toMatchObject({
      code: 'BACKLOG_NOT_EMPTY',
    });
    expect(await edit({ target: { tag: 'x' } }, version)).toMatchObject({ affectsBuffered: 1 });
    world.queueCounter.set({ waiting: 0, inFlight: 0 });
    expect(await edit({ target: after } as TaskPatch, version + 1)).toMatchObject({ affectsBuffered: 0 });
  });

  it('lets other keys through while messages wait where they make no message group', async () => {
    await world.clusters.putTopic('business', 'charger_status', 'FIFO', { at: task.createdAt });
    await edit({ target: { keys: ['${topic[1]}'] }, options: { via: 'session', ordering: 'topic' } });
    world.queueCounter.set({ waiting: 1, inFlight: 0 });
    expect(await edit({ target: { keys: ['${topic}'] } }, 2)).toMatchObject({ affectsBuffered: 1 });
  });

  it('warns of the minute without a session that another kind of queue takes', async () => {
    await world.clusters.putTopic('business', 'charger_status', 'FIFO', { at: task.createdAt });
    const codes = ({ warnings }: { warnings: readonly { code: string }[] }) =>
      warnings.map(({ code }) => code);
    const never = await edit({ target: { messageGroup: '${topic}' }, options: { via: 'session' } });
    expect(codes(never)).not.toContain('SESSION_INTERRUPTED');
    await world.startTask({ taskId: task.taskId });
    await world.pauseTask({ taskId: task.taskId });
    await world.settle(task.taskId, 'paused');
    expect(codes(await edit({ target: { tag: 'x' } }, 2))).not.toContain('SESSION_INTERRUPTED');
    expect(codes(await edit({ options: { ordering: 'topic' } }, 3))).toContain('SESSION_INTERRUPTED');
    expect(codes(await edit({ options: { ordering: 'key' } }, 4))).not.toContain('SESSION_INTERRUPTED');
  });

  it('refuses to go on when the backlog cannot be counted', async () => {
    world.queueCounter.set(new Error('SQS is away'));
    await expect(edit({ target: { tag: 'x' } })).rejects.toMatchObject({
      status: 503,
      code: 'BACKLOG_UNKNOWN',
    });
    expect(await world.getTask(task.taskId)).toMatchObject({ version: 1 });
  });

  it('needs the version', async () => {
    await expect(
      world.editTask({ taskId: task.taskId, expectedVersion: undefined, patch: {} }),
    ).rejects.toMatchObject({ status: 428, code: 'IF_MATCH_REQUIRED' });
    await expect(edit({ description: 'x' }, 2)).rejects.toMatchObject({
      status: 412,
      extensions: { currentVersion: 1 },
    });
  });

  it('refuses a running task', async () => {
    await world.startTask({ taskId: task.taskId });
    await expect(edit({ description: 'x' })).rejects.toMatchObject({
      status: 409,
      code: 'TASK_RUNNING',
      message: expect.stringContaining('pause'),
    });
  });

  it('checks the whole definition again', async () => {
    await expect(edit({ options: { ordering: 'topic' } })).rejects.toMatchObject({
      code: 'ORDER_NOT_ON_THIS_PATH',
    });
    await expect(edit({ target: { unknown: 1 } })).rejects.toThrow();
  });

  it('refuses while the stack is being removed, and a task that is not there', async () => {
    await expect(world.editTask({ taskId: 'nobody', expectedVersion: 1, patch: {} })).rejects.toMatchObject({
      status: 404,
      code: 'TASK_NOT_FOUND',
    });
    await world.stack.markRemoving(task.createdAt);
    await expect(edit({ description: 'x' })).rejects.toMatchObject({ code: 'STACK_REMOVING' });
  });
});

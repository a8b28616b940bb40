import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ConvergeWorld,
  createConvergeWorld,
  DEAD_LETTER_FIFO_ARN,
  definition,
  presentTask,
  sessionDefinition,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const QUEUE = `mqferry-dev-0a1b2c3d-${TASK}`;

let world: ConvergeWorld;
beforeEach(async () => {
  world = await createConvergeWorld();
});

const task = () => presentTask(world, TASK);
const roster = () => world.shifts.roster.read('session');

async function running(options: Parameters<typeof sessionDefinition>[0] = {}): Promise<void> {
  await world.create(TASK, sessionDefinition(options));
  await world.settle(TASK);
}

async function paused(options: Parameters<typeof sessionDefinition>[0] = {}): Promise<void> {
  await running(options);
  await world.setDesired(TASK, 'paused');
  await world.settle(TASK);
}

async function deleted(discardBacklog = false): Promise<void> {
  await world.setDesired(TASK, 'deleted', discardBacklog);
  await world.settle(TASK);
}

describe('createConvergeTask, session path', () => {
  it('makes queue and mapping for the overflow, enables nothing, and has shifts forward', async () => {
    await running({ lanes: 2 });
    expect(await task()).toMatchObject({ status: 'running', observedVersion: 1 });
    expect(world.strict.queues()).toMatchObject([{ name: QUEUE }]);
    expect(world.strict.mappings()).toMatchObject([
      { enabled: false, ScalingConfig: { MaximumConcurrency: 2 } },
    ]);
    expect(world.strict.rules()).toEqual([]);
    expect(await roster()).toEqual([{ taskId: TASK, mode: 'forward', lanes: 2, version: 1 }]);
    expect(await world.events(TASK)).toEqual(['TASK_CREATED']);
    expect((await world.stack.read()).usedConcurrency).toBe(0);
  });

  it.each(['topic', 'key'] as const)(
    'makes a FIFO queue where the order of a %s is kept',
    async (ordering) => {
      await running({ ordering });
      expect(world.strict.queues()).toMatchObject([
        {
          name: `${QUEUE}.fifo`,
          attributes: {
            FifoQueue: 'true',
            ContentBasedDeduplication: 'false',
            DeduplicationScope: 'messageGroup',
            FifoThroughputLimit: 'perMessageGroupId',
            RedrivePolicy: expect.stringContaining(DEAD_LETTER_FIFO_ARN),
          },
        },
      ]);
      expect(world.strict.mappings()).toMatchObject([
        { BatchSize: 10, queueArn: expect.stringMatching(/\.fifo$/) },
      ]);
      expect(world.strict.mappings()[0]?.MaximumBatchingWindowInSeconds).toBeUndefined();
    },
  );

  it('tells shifts to buffer in a pause, and is paused when every lane does', async () => {
    await running({ lanes: 2 });
    await world.setDesired(TASK, 'paused');
    expect(await world.converge(TASK, { waitBudgetMs: 0 })).toMatchObject({ outcome: 'not-yet' });
    expect((await task()).status).toBe('pausing');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 1 });
    expect(await task()).not.toHaveProperty('reason');
    expect(await roster()).toMatchObject([{ mode: 'buffer', lanes: 2 }]);
  });

  it('is paused with a warning when a broker does not answer, and without one when it does again', async () => {
    await running();
    world.shift.setSourceAway(true);
    await world.setDesired(TASK, 'paused');
    const beganMs = world.clock.now();
    await world.settle(TASK);
    expect(await task()).toMatchObject({
      status: 'paused',
      reason: { code: 'SESSION_NOT_BUFFERING', hint: expect.any(String) },
    });
    expect(world.clock.now() - beganMs).toBeLessThan(90_000);
    world.shift.setSourceAway(false);
    await world.shift.work();
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused' });
    expect(await task()).not.toHaveProperty('reason');
  });

  it('leaves the session at the broker where it is to buffer', async () => {
    await paused({ whilePaused: 'broker' });
    expect(await task()).toMatchObject({ status: 'paused' });
    expect(await roster()).toEqual([]);
    expect(world.shift.done).toEqual([`${TASK}/0 forward 1`]);
  });

  it('has the subscriptions taken back where messages of a pause are skipped', async () => {
    await paused({ whilePaused: 'discard' });
    expect(await task()).toMatchObject({ status: 'paused' });
    expect(await roster()).toEqual([]);
    expect(world.shift.done).toEqual([`${TASK}/0 forward 1`, `${TASK}/0 discard 1`]);
    await world.settle(TASK, { audit: true });
    expect(world.shift.done).toHaveLength(2);
  });

  it('buffers nothing for a task that was never started', async () => {
    await world.create(TASK, sessionDefinition(), 'paused');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused' });
    expect(await roster()).toEqual([]);
    await deleted();
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(world.shift.done).toEqual([]);
  });

  it('ends the session and leaves nothing when it is deleted', async () => {
    await paused({ lanes: 2 });
    await deleted();
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(world.shift.done.slice(-2)).toEqual([`${TASK}/0 end 1`, `${TASK}/1 end 1`]);
    expect([world.strict.queues(), world.strict.mappings(), await roster()]).toEqual([[], [], []]);
    expect(await world.shifts.lanes.list(TASK)).toEqual([]);
  });

  it('takes a deletion back when messages came, before the session was ended, and buffers again', async () => {
    await paused();
    await world.setDesired(TASK, 'deleted');
    world.strict.change(QUEUE, { waiting: 2 });
    await world.settle(TASK);
    expect(await task()).toMatchObject({ desired: 'paused', reason: { code: 'BACKLOG_NOT_EMPTY' } });
    expect(world.shift.done.filter((text) => text.includes(' end '))).toEqual([]);
    expect(await roster()).toMatchObject([{ mode: 'buffer' }]);
    await deleted(true);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(await world.events(TASK)).toContain('BACKLOG_DISCARDED');
  });

  it('replaces queue and mapping when the ordering is switched, and keeps the session', async () => {
    await paused();
    await world.edit(TASK, sessionDefinition({ ordering: 'topic' }), 1);
    await world.settle(TASK);
    expect(world.strict.queues()).toMatchObject([{ name: `${QUEUE}.fifo` }]);
    expect(world.strict.mappings()).toMatchObject([
      { queueArn: expect.stringMatching(/\.fifo$/), enabled: false },
    ]);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 2 });
    expect(world.shift.done.filter((text) => text.includes(' end '))).toEqual([]);
    expect(await roster()).toMatchObject([{ mode: 'buffer', version: 2 }]);
    await world.edit(TASK, sessionDefinition(), 2);
    await world.settle(TASK);
    expect(world.strict.queues()).toMatchObject([{ name: QUEUE }]);
    await deleted();
    expect([world.strict.queues(), world.strict.mappings()]).toEqual([[], []]);
  });

  it('never deletes a queue that messages came into before the ordering was switched', async () => {
    await paused();
    await world.edit(TASK, sessionDefinition({ ordering: 'topic' }), 1);
    world.strict.change(QUEUE, { waiting: 3 });
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'failed', reason: { code: 'BACKLOG_NOT_EMPTY' } });
    expect(world.strict.queues()).toMatchObject([{ name: QUEUE }]);
    await world.edit(TASK, sessionDefinition(), 2);
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 3 });
    expect(await task()).not.toHaveProperty('reason');
    expect(await roster()).toMatchObject([{ mode: 'buffer', version: 3 }]);
  });

  it('ends the session at the source that an edit has left', async () => {
    await paused();
    await world.edit(TASK, sessionDefinition({}, 'other-factory'), 1);
    await world.settle(TASK);
    expect(world.shift.done.slice(-2)).toEqual([`${TASK}/0 end 1`, `${TASK}/0 buffer 2`]);
    expect(await task()).toMatchObject({
      status: 'paused',
      resources: { shift: { sourceClusterId: 'other-factory' } },
    });
  });

  it('becomes a task of the rule path and back', async () => {
    await paused({ ordering: 'topic' });
    await world.edit(TASK, definition(['a/+']), 1);
    await world.settle(TASK);
    expect(await roster()).toEqual([]);
    expect(world.shift.done.at(-1)).toBe(`${TASK}/0 end 1`);
    expect(world.strict.queues()).toMatchObject([{ name: QUEUE }]);
    expect(world.strict.rules()).toHaveLength(1);
    expect((await task()).resources).not.toHaveProperty('shift');
    await world.edit(TASK, sessionDefinition(), 2);
    await world.settle(TASK);
    expect(world.strict.rules()).toEqual([]);
    expect(await roster()).toMatchObject([{ mode: 'buffer', version: 3 }]);
  });

  it('ends lanes that a task has no more', async () => {
    await paused({ lanes: 3 });
    await world.edit(TASK, sessionDefinition({ lanes: 1 }), 1);
    await world.settle(TASK);
    expect(world.shift.done).toEqual(expect.arrayContaining([`${TASK}/1 end 2`, `${TASK}/2 end 2`]));
    expect(await world.shifts.lanes.list(TASK)).toMatchObject([{ lane: 0 }]);
    expect((await task()).resources.shift).toMatchObject({ lanes: 1, mostLanes: 1 });
  });
});

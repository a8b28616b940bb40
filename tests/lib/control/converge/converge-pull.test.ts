import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  presentTask,
  pullDefinition,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';

let world: ConvergeWorld;
beforeEach(async () => {
  world = await createConvergeWorld();
});

const task = () => presentTask(world, TASK);
const roster = () => world.shifts.roster.read('pull');
const made = () => [world.strict.queues(), world.strict.mappings(), world.strict.rules()];

async function running(options: Parameters<typeof pullDefinition>[0] = {}): Promise<void> {
  await world.create(TASK, pullDefinition(options));
  await world.settle(TASK);
}

describe('createConvergeTask, pull path', () => {
  it('makes nothing for a new task, and tells shifts nothing', async () => {
    await world.create(TASK, pullDefinition(), 'paused');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 1 });
    expect([made(), await roster()]).toEqual([[[], [], []], []]);
    expect(world.shift.done).toEqual([]);
  });

  it('tells shifts, starts one, and leaves it to lanes to say that the task runs', async () => {
    await world.create(TASK, pullDefinition({ lanes: 2 }));
    expect(await world.converge(TASK)).toEqual({ outcome: 'done' });
    expect(await task()).toMatchObject({ status: 'starting', observedVersion: 1 });
    expect(await roster()).toEqual([{ taskId: TASK, mode: 'forward', lanes: 2, version: 1 }]);
    await world.shift.work();
    expect(await task()).toMatchObject({ status: 'running' });
    expect(world.shift.done).toEqual([`${TASK}/0 forward 1`, `${TASK}/1 forward 1`]);
    expect(made()).toEqual([[], [], []]);
  });

  it('records starting before shifts are told, so that no lane is refused', async () => {
    const told: string[] = [];
    world.setOnCall((call) => {
      if (call === 'before put') told.push(world.state.tasks.get(TASK)?.task.status ?? '');
    });
    await running();
    expect(told).toEqual(['starting']);
  });

  it('starts no shift where one is at work', async () => {
    await running();
    let starts = 0;
    world.setOnCall((call) => {
      if (call === 'before start') starts += 1;
    });
    await world.create('01J9ZQ4Y8R7K2M5N6P0S1T3V5X', { ...pullDefinition(), taskName: 'other' });
    await world.settle('01J9ZQ4Y8R7K2M5N6P0S1T3V5X');
    expect(starts).toBe(0);
  });

  it('comes again when no shift could be started, and tells shifts anew', async () => {
    await world.create(TASK, pullDefinition());
    world.setOnCall((call) => {
      if (call === 'before start') throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    });
    await expect(world.converge(TASK)).rejects.toThrow('no');
    expect((await task()).resources.shift).toMatchObject({ mode: 'forward', isTold: false });
    world.setOnCall(() => undefined);
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'running' });
  });

  it('is paused when nobody works on it any more', async () => {
    await running();
    await world.setDesired(TASK, 'paused');
    expect(await world.converge(TASK, { waitBudgetMs: 0 })).toMatchObject({ outcome: 'not-yet' });
    expect(await roster()).toEqual([]);
    expect((await task()).status).toBe('pausing');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused' });
    expect(await world.shifts.lanes.list(TASK)).toMatchObject([{ lane: 0 }]);
    expect((await world.shifts.lanes.list(TASK))[0]).not.toHaveProperty('owner');
    expect(await world.events(TASK)).toContain('TASK_PAUSED');
  });

  it('waits for the leases of a killed shift to run out', async () => {
    await running();
    world.shift.kill();
    await world.setDesired(TASK, 'paused');
    const beganMs = world.clock.now();
    await world.settle(TASK);
    expect((await task()).status).toBe('paused');
    expect(world.clock.now() - beganMs).toBeGreaterThanOrEqual(10_000);
  });

  it('gives a failed task new lanes when it is started again', async () => {
    await running();
    const reason = { code: 'CREDENTIALS_REFUSED', message: 'no', at: world.at() };
    await world.tasks.reportLane(TASK, { status: 'failed', reason });
    await world.settle(TASK, { audit: true });
    expect(await task()).toMatchObject({ status: 'failed', reason });
    await world.clock.sleep(5_000);
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect(world.shift.done).toEqual([`${TASK}/0 forward 1`, `${TASK}/0 forward 1`]);
    expect(await task()).toMatchObject({ status: 'running' });
  });

  it('has shifts end what the task has at its source before it goes', async () => {
    await running();
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(world.shift.done.at(-1)).toBe(`${TASK}/0 end 1`);
    expect([await roster(), await world.shifts.lanes.list(TASK)]).toEqual([[], []]);
  });

  it('deletes a task that was never started without asking shifts', async () => {
    await world.create(TASK, pullDefinition(), 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(world.shift.done).toEqual([]);
  });

  it('does not wait for a source that is gone for longer than two minutes, and says so', async () => {
    await running();
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    world.shift.setSourceAway(true);
    await world.setDesired(TASK, 'deleted');
    const beganMs = world.clock.now();
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(world.clock.now() - beganMs).toBeGreaterThan(120_000);
    expect(world.clock.now() - beganMs).toBeLessThan(180_000);
    expect(await world.events(TASK)).toEqual(expect.arrayContaining(['SOURCE_NOT_CLEARED', 'TASK_DELETED']));
  });

  it('tells shifts of an edit at the next start, and forgets lanes that the task has no more', async () => {
    await running({ lanes: 3 });
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.edit(TASK, pullDefinition({ lanes: 1 }), 1);
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 2 });
    world.clock.advance(60_000);
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect(await roster()).toEqual([{ taskId: TASK, mode: 'forward', lanes: 1, version: 2 }]);
    expect(await world.shifts.lanes.list(TASK)).toMatchObject([{ lane: 0, state: { version: 2 } }]);
  });

  it('repairs the roster when an audit finds another word in it', async () => {
    await running();
    await world.shifts.roster.remove('pull', TASK);
    await world.settle(TASK, { audit: true });
    expect(await roster()).toMatchObject([{ taskId: TASK, mode: 'forward' }]);
    const { items } = await world.tasks.listEvents(TASK, { limit: 1 });
    expect(items).toMatchObject([{ code: 'DRIFT_REPAIRED', details: { repaired: ['shift: told nothing'] } }]);
  });

  it('leaves nothing of the rule path when an edit turns the task round', async () => {
    await world.create(TASK, definition(['a/+', 'b']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.edit(TASK, pullDefinition(), 1);
    await world.settle(TASK);
    expect(made()).toEqual([[], [], []]);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 2, resources: { rules: {} } });
    world.clock.advance(60_000);
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'running' });
  });
});

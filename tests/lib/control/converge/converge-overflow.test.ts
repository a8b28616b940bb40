import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  mappingStates,
  presentTask,
  sessionDefinition,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const OTHER = '01J9ZQ4Y8R7K2M5N6P0S1T3V5X';
const QUEUE = `mqferry-dev-0a1b2c3d-${TASK}`;
const MINUTE_MS = 60_000;

let world: ConvergeWorld;
beforeEach(async () => {
  world = await createConvergeWorld();
  await world.create(TASK, sessionDefinition());
  await world.settle(TASK);
  await world.clock.sleep(2 * MINUTE_MS);
});

const task = () => presentTask(world, TASK);
const mappings = () => mappingStates(world, TASK);
const usedUnits = async () => (await world.stack.read()).usedConcurrency;

/** As the tick does each minute for a task whose overflow it watches. */
async function looks(times: number): Promise<void> {
  for (let look = 0; look < times; look += 1) {
    await world.settle(TASK);
    await world.clock.sleep(MINUTE_MS);
  }
}

describe('the overflow of a session task', () => {
  it('is drained by the mapping, which holds units only as long as something may wait', async () => {
    expect([mappings(), await usedUnits()]).toEqual([['Disabled'], 0]);
    await world.tasks.reportOverflow(TASK, true);
    world.strict.change(QUEUE, { waiting: 500 });
    await looks(1);
    expect([mappings(), await usedUnits()]).toEqual([['Enabled'], 2]);
    expect((await task()).status).toBe('running');
    await world.tasks.reportOverflow(TASK, false);
    await looks(2);
    expect(mappings()).toEqual(['Enabled']);
    world.strict.change(QUEUE, { waiting: -500 });
    await world.clock.sleep(10_000);
    await looks(1);
    expect([mappings(), await usedUnits()]).toEqual([['Enabled'], 2]);
    await looks(2);
    expect([mappings(), await usedUnits()]).toEqual([['Disabled'], 0]);
    expect((await task()).resources).not.toHaveProperty('overflow');
  });

  it('goes on when something comes between two looks that found the queue empty', async () => {
    await world.tasks.reportOverflow(TASK, true);
    await looks(1);
    await world.tasks.reportOverflow(TASK, false);
    await looks(1);
    world.strict.change(QUEUE, { waiting: 1 });
    await world.clock.sleep(10_000);
    await looks(3);
    expect(mappings()).toEqual(['Enabled']);
  });

  it('is drained when messages are found that no lane has told of', async () => {
    world.strict.change(QUEUE, { waiting: 3 });
    await world.clock.sleep(10_000);
    await world.settle(TASK, { audit: true });
    await looks(1);
    expect(mappings()).toEqual(['Enabled']);
  });

  it('is watched after a pause that buffered, before shifts are told to forward', async () => {
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    world.strict.change(QUEUE, { waiting: 4 });
    await world.clock.sleep(MINUTE_MS);
    const overflowWhenTold: unknown[] = [];
    world.setOnCall((call) => {
      if (call === 'before put') overflowWhenTold.push(world.state.tasks.get(TASK)?.task.resources.overflow);
    });
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect(overflowWhenTold).toEqual([{ sinceMs: expect.any(Number) }]);
    await looks(1);
    expect([mappings(), await usedUnits()]).toEqual([['Enabled'], 2]);
  });

  it('ends with a pause: the mapping is disabled and its units go back', async () => {
    await world.tasks.reportOverflow(TASK, true);
    world.strict.change(QUEUE, { waiting: 5 });
    await looks(1);
    await world.setDesired(TASK, 'paused');
    expect(await usedUnits()).toBe(0);
    await world.settle(TASK);
    expect(mappings()).toEqual(['Disabled']);
    expect((await task()).resources).not.toHaveProperty('overflow');
  });

  it('tells once that an ordered task does not leave its queue', async () => {
    await world.create(OTHER, { ...sessionDefinition({ ordering: 'topic' }), taskName: 'ordered' });
    await world.settle(OTHER);
    const told = async () =>
      (await world.tasks.listEvents(OTHER, { limit: 50 })).items.filter(
        ({ code }) => code === 'OVERFLOW_LASTS',
      );
    const look = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        await world.settle(OTHER);
        await world.clock.sleep(MINUTE_MS);
      }
    };
    await world.tasks.reportOverflow(OTHER, true);
    await look(5);
    // A look that finds the queue empty for a moment begins nothing anew.
    await world.tasks.reportOverflow(OTHER, false);
    await look(1);
    await world.tasks.reportOverflow(OTHER, true);
    await look(3);
    expect(await told()).toEqual([]);
    await look(6);
    expect(await told()).toHaveLength(1);
  });

  it('ends marks of groups that have nothing in the queue any more, and none of a later put', async () => {
    await world.create(OTHER, { ...sessionDefinition({ ordering: 'topic' }), taskName: 'ordered' });
    await world.settle(OTHER);
    const putId = ulid(world.clock.now());
    await world.overflowGroups.announce(OTHER, [{ groupKey: 'never put', putId }], world.clock.now());
    await world.tasks.reportOverflow(OTHER, true);
    await world.settle(OTHER);
    await world.tasks.reportOverflow(OTHER, false);
    await world.clock.sleep(MINUTE_MS);
    await world.settle(OTHER);
    expect(await world.overflowGroups.list(OTHER)).toHaveLength(1);
    const later = { groupKey: 'later', putId: ulid(world.clock.now()) };
    await world.overflowGroups.announce(OTHER, [later], world.clock.now());
    await world.clock.sleep(MINUTE_MS);
    await world.settle(OTHER);
    expect(await world.overflowGroups.list(OTHER)).toMatchObject([{ groupKey: 'later' }]);
    expect((await world.tasks.get(OTHER))?.resources).not.toHaveProperty('overflow');
  });

  it('waits for units that others use, degraded and never refused, and goes on when some are free', async () => {
    await world.create(OTHER, definition(['a'], { concurrency: 99 }, 'other'));
    await world.settle(OTHER);
    await world.tasks.reportOverflow(TASK, true);
    await looks(2);
    expect(await task()).toMatchObject({
      status: 'degraded',
      reason: { code: 'CONCURRENCY_EXHAUSTED', hint: expect.any(String) },
    });
    expect([mappings(), await usedUnits()]).toEqual([['Disabled'], 99]);
    await world.setDesired(OTHER, 'paused');
    await looks(2);
    expect(await task()).toMatchObject({ status: 'running' });
    expect(await task()).not.toHaveProperty('reason');
    expect([mappings(), await usedUnits()]).toEqual([['Enabled'], 2]);
  });

  it('leaves the reason to lanes where the target takes nothing', async () => {
    await world.create(OTHER, definition(['a'], { concurrency: 99 }, 'other'));
    world.shift.setSourceAway(true);
    const reason = { code: 'TARGET_UNREACHABLE', message: 'away', about: 'target', at: world.at() } as const;
    await world.tasks.reportLane(TASK, { status: 'degraded', reason });
    await world.tasks.reportOverflow(TASK, true);
    await looks(1);
    expect(await task()).toMatchObject({ status: 'degraded', reason });
  });

  it('makes no failed task of one whose mapping may not be changed: its messages are carried', async () => {
    world.setOnCall((call) => {
      if (call === 'before UpdateEventSourceMappingCommand')
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    });
    await world.tasks.reportOverflow(TASK, true);
    await looks(2);
    expect(await task()).toMatchObject({ status: 'degraded', reason: { code: 'CLOUD_ACCESS_DENIED' } });
    world.setOnCall(() => undefined);
    await looks(2);
    expect(await task()).toMatchObject({ status: 'running' });
    expect(mappings()).toEqual(['Enabled']);
  });
});

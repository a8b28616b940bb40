import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOLD_AFTER_MS } from '../../../../lib/control/converge/converge-hold.ts';
import { isWatched, needsConverge } from '../../../../lib/control/converge/converge-plan.ts';
import { renderResourceSpecs } from '../../../../lib/domain/tasks/resource-specs.ts';
import type { StatusReason } from '../../../../lib/domain/tasks/task.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  mappingStates,
  presentTask,
  sessionDefinition,
  specSettings,
} from '../../../helpers/converge-world.ts';
import { injectFaults, randomOf } from '../../../helpers/faults.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const QUEUE = `mqferry-dev-0a1b2c3d-${TASK}`;
const MINUTE_MS = 60_000;

let world: ConvergeWorld;

const task = () => presentTask(world, TASK);
const mappings = () => mappingStates(world, TASK);

/** As the batching function says it: once. */
async function away() {
  const code = 'TARGET_UNREACHABLE';
  const reason: StatusReason = { code, message: 'no connection', at: world.at(), about: 'target' };
  if ((await task()).status === 'running')
    await world.tasks.reportHealth(TASK, { status: 'degraded', reason });
}
const works = () => world.tasks.reportHealth(TASK, { status: 'running' });

/** As the tick does each minute: wakes the task if there may be something to do. */
async function ticks(times: number): Promise<void> {
  for (let tick = 0; tick < times; tick += 1) {
    await world.clock.sleep(MINUTE_MS);
    const now = await task();
    const isWoken = needsConverge(now, renderResourceSpecs(now, specSettings()));
    if (isWoken || isWatched(now, world.clock.now())) await world.settle(TASK);
  }
}

describe('a target of the rule path that is away for long', () => {
  beforeEach(async () => {
    world = await createConvergeWorld();
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    world.target.says = 'away';
    await away();
  });

  it('is tried for ten minutes, then asked each minute while the mapping is disabled', async () => {
    const since = world.at();
    await ticks(9);
    expect([mappings(), world.target.asked]).toEqual([['Enabled'], 0]);
    await ticks(2);
    expect(mappings()).toEqual(['Disabled']);
    expect(await task()).toMatchObject({
      status: 'degraded',
      desired: 'running',
      reason: { code: 'HOLDING', hint: expect.any(String), at: since, about: 'target' },
    });
    expect((await task()).reason?.message).toContain('TARGET_UNREACHABLE: no connection');
    const { asked } = world.target;
    await ticks(60);
    expect(world.target.asked - asked).toBe(60);
    expect(mappings()).toEqual(['Disabled']);
    // Rules go on filling the queue.
    expect(world.strict.publish('a/x')).toHaveLength(1);
    expect((await world.events(TASK)).filter((code) => code === 'HOLDING')).toHaveLength(1);
  });

  it('is given its messages within two minutes of its answer', async () => {
    await ticks(30);
    world.target.says = 'answers';
    const backAtMs = world.clock.now();
    await ticks(1);
    expect(mappings()).toEqual(['Enabled']);
    expect(world.clock.now() - backAtMs).toBeLessThanOrEqual(2 * MINUTE_MS);
    const { status, reason, resources } = await task();
    expect({ status, reason, hold: resources.hold }).toEqual({ status: 'running' });
    expect(await world.events(TASK)).toContain('HOLDING_ENDED');
    const { asked } = world.target;
    await ticks(5);
    expect(world.target.asked).toBe(asked);
  });

  it('goes on being tried while it answers and takes nothing', async () => {
    world.target.says = 'answers';
    await ticks(30);
    expect(mappings()).toEqual(['Enabled']);
    expect(await task()).toMatchObject({ status: 'degraded', reason: { code: 'TARGET_UNREACHABLE' } });
    expect((await task()).resources).not.toHaveProperty('hold');
  });

  it.each(['unknown', 'away'] as const)('stays as it is while the answer is %s', async (says) => {
    world.target.says = 'unknown';
    await ticks(15);
    expect(mappings()).toEqual(['Enabled']);
    world.target.says = 'away';
    await ticks(1);
    world.target.says = says;
    await ticks(5);
    expect(mappings()).toEqual(['Disabled']);
  });

  it('is not held when something has gone through meanwhile', async () => {
    await ticks(12);
    expect(mappings()).toEqual(['Disabled']);
    await works();
    await ticks(1);
    expect(mappings()).toEqual(['Enabled']);
    expect((await task()).status).toBe('running');
  });

  it('keeps what the data plane says while it is being asked', async () => {
    world.setOnCall((call) => {
      if (call === 'after ask') void works();
    });
    await ticks(12);
    expect(mappings()).toEqual(['Enabled']);
    expect((await task()).resources).not.toHaveProperty('hold');
  });

  it('may be paused, and is started anew', async () => {
    await ticks(12);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    expect((await task()).status).toBe('paused');
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect(mappings()).toEqual(['Enabled']);
    expect((await task()).status).toBe('running');
    expect((await task()).resources).not.toHaveProperty('hold');
  });

  it('has drift of its rules repaired', async () => {
    await ticks(12);
    world.strict.removeRule(world.strict.rules()[0]?.name ?? '');
    await world.settle(TASK, { audit: true });
    expect(world.strict.publish('a/x')).toHaveLength(1);
    expect(mappings()).toEqual(['Disabled']);
  });

  it('is deleted like any other', async () => {
    await ticks(12);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted', true);
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
  });
});

describe('the overflow of a session whose target is away for long', () => {
  beforeEach(async () => {
    world = await createConvergeWorld();
    await world.create(TASK, sessionDefinition());
    await world.settle(TASK);
    world.target.says = 'away';
    // Else the lanes of this world would say that all is well.
    world.shift.setSourceAway(true);
    await world.tasks.reportOverflow(TASK, true);
    const reason: StatusReason = { code: 'TARGET_TIMEOUT', message: 'late', at: world.at(), about: 'target' };
    await world.tasks.reportLane(TASK, { status: 'degraded', reason });
    world.strict.change(QUEUE, { waiting: 500 });
  });

  it('waits in the queue, and its lanes go on saying how it is', async () => {
    await ticks(9);
    expect(mappings()).toEqual(['Enabled']);
    await ticks(5);
    expect(mappings()).toEqual(['Disabled']);
    expect(await task()).toMatchObject({ status: 'degraded', reason: { code: 'TARGET_TIMEOUT' } });
    expect(await world.events(TASK)).toContain('HOLDING');
    world.target.says = 'answers';
    await ticks(2);
    expect(mappings()).toEqual(['Enabled']);
  });

  it('is carried on when its lanes have something through', async () => {
    await ticks(14);
    await world.tasks.reportLane(TASK, { status: 'running' });
    await ticks(2);
    expect(mappings()).toEqual(['Enabled']);
    expect((await task()).resources).not.toHaveProperty('hold');
  });

  it('goes on being carried while only the broker of the session is away', async () => {
    await ticks(1);
    await world.tasks.reportOverflow(TASK, false);
    await ticks(20);
    expect((await task()).status).toBe('degraded');
    expect([mappings(), world.target.asked]).toEqual([['Enabled'], 0]);
  });
});

const event = fc.record({
  kind: fc.constantFrom('away' as const, 'back' as const, 'pause' as const, 'start' as const),
  minutes: fc.integer({ min: 0, max: 14 }),
});

async function happen(kind: 'away' | 'back' | 'pause' | 'start'): Promise<void> {
  if (kind === 'pause') await world.setDesired(TASK, 'paused');
  else if (kind === 'start') await world.setDesired(TASK, 'running');
  else await targetIs(kind);
}

/** Who carries messages finds out for himself, while the mapping lets him. */
async function targetIs(how: 'away' | 'back'): Promise<void> {
  world.target.says = how === 'away' ? 'away' : 'answers';
  if (mappings()[0] === 'Enabled') await (how === 'away' ? away() : works());
}

describe('holding, killed and throttled anywhere', () => {
  it.each(['away', 'back'] as const)(
    'ends with the mapping as the target is: %s',
    async (end) => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            events: fc.array(event, { maxLength: 6 }),
            seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
            kills: fc.integer({ min: 0, max: 6 }),
            throttles: fc.integer({ min: 0, max: 6 }),
          }),
          async ({ events, seed, kills, throttles }) => {
            const random = randomOf(seed);
            world = await createConvergeWorld({ random, queueDelayMs: 1_500 });
            injectFaults(world, random, kills, throttles);
            await world.create(TASK, definition(['a/+']));
            await world.settle(TASK, { maxRounds: 400 });
            for (const { kind, minutes } of events) {
              await happen(kind);
              await ticks(minutes);
            }
            await world.setDesired(TASK, 'running');
            await world.settle(TASK, { maxRounds: 400 });
            await targetIs(end);
            await ticks(end === 'away' ? HOLD_AFTER_MS / MINUTE_MS + 2 : 3);
            world.setOnCall(() => undefined);
            await ticks(2);
            const { status, reason, resources } = await task();
            const seen = [mappings()[0], status, reason?.code, resources.hold !== undefined];
            expect(seen).toEqual(
              end === 'away'
                ? ['Disabled', 'degraded', 'HOLDING', true]
                : ['Enabled', 'running', undefined, false],
            );
            expect(world.strict.publish('a/x')).toHaveLength(1);
          },
        ),
        { numRuns: Number(process.env.FC_RUNS ?? 60) },
      );
    },
    120_000,
  );
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stateOf } from '../../../../lib/adapters/memory/strict-cloud-mappings.ts';
import { isLive } from '../../../../lib/control/converge/converge-shift.ts';
import { createInventory } from '../../../../lib/control/converge/sweep-inventory.ts';
import { createSweepOrphans } from '../../../../lib/control/converge/sweep-orphans.ts';
import type { Task, TaskDefinition } from '../../../../lib/domain/tasks/task.ts';
import { pathOf } from '../../../../lib/domain/tasks/task-path.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  pullDefinition,
  REGION,
  sessionDefinition,
  silentLogger,
  specSettings,
} from '../../../helpers/converge-world.ts';
import { injectFaults, Killed, randomOf, unlessRefused } from '../../../helpers/faults.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';

const options = {
  lanes: fc.integer({ min: 1, max: 3 }),
  whilePaused: fc.constantFrom('buffer' as const, 'broker' as const, 'discard' as const),
};
const session = fc
  .record({ ...options, ordering: fc.constantFrom('none' as const, 'topic' as const), far: fc.boolean() })
  .map(({ far, ...chosen }) => sessionDefinition(chosen, far ? 'other-factory' : 'factory'));
const pull = fc.record(options).map((chosen) => pullDefinition(chosen));
const rule = fc.constantFrom(definition(['a/+']), definition(['b'], { whilePaused: 'discard' }));
const anyDefinition = fc.oneof({ weight: 4, arbitrary: session }, { weight: 3, arbitrary: pull }, rule);

type Action = { kind: 'edit'; to: TaskDefinition } | { kind: (typeof PLAIN)[number] };
const PLAIN = [
  'start',
  'pause',
  'delete',
  'delete-discarding',
  'converge',
  'audit',
  'shift',
  'kill-shift',
  'source-away',
  'source-back',
  'overflow',
  'drained',
  'message',
  'consume',
  'tamper',
] as const;
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('start' as const, 'pause' as const).map((kind) => ({ kind })) },
  { weight: 4, arbitrary: fc.constantFrom(...PLAIN).map((kind) => ({ kind })) },
  { weight: 3, arbitrary: anyDefinition.map((to) => ({ kind: 'edit' as const, to })) },
);
const story = fc.record({
  first: anyDefinition,
  startNow: fc.boolean(),
  actions: fc.array(action, { maxLength: 10 }),
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  kills: fc.integer({ min: 0, max: 6 }),
  throttles: fc.integer({ min: 0, max: 6 }),
});

async function act(world: ConvergeWorld, next: Action): Promise<void> {
  const wants = (desired: 'running' | 'paused' | 'deleted', discard = false) =>
    unlessRefused(() => world.setDesired(TASK, desired, discard));
  switch (next.kind) {
    case 'edit': {
      const version = (await world.tasks.get(TASK))?.version ?? 1;
      return unlessRefused(() => world.edit(TASK, next.to, version));
    }
    case 'start':
      return wants('running');
    case 'pause':
      return wants('paused');
    case 'delete':
      return wants('deleted');
    case 'delete-discarding':
      return wants('deleted', true);
    case 'converge':
    case 'audit':
      return once(world, next.kind === 'audit');
    case 'shift':
      return world.clock.sleep(5_000);
    case 'kill-shift':
      return world.shift.kill();
    case 'source-away':
    case 'source-back':
      return world.shift.setSourceAway(next.kind === 'source-away');
    case 'overflow':
    case 'drained':
      return world.tasks.reportOverflow(TASK, next.kind === 'overflow');
    case 'message':
      for (const { name } of world.strict.queues()) world.strict.change(name, { waiting: 1 });
      return;
    case 'consume':
      world.strict.consume();
      return;
    case 'tamper':
      await world.shifts.roster.remove('session', TASK);
      await world.shifts.roster.remove('pull', TASK);
  }
}

async function once(world: ConvergeWorld, audit: boolean): Promise<void> {
  try {
    await world.converge(TASK, { audit });
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    await world.clock.sleep(70_000);
  }
}

/** What heals by itself has healed: the source answers, the queues are empty, audits and looks have had their turn. */
async function calm(world: ConvergeWorld): Promise<void> {
  world.setOnCall(() => undefined);
  world.shift.setSourceAway(false);
  world.shift.start();
  await world.tasks.reportOverflow(TASK, false);
  const inventory = createInventory({ cloud: world.cloud, settings: specSettings() });
  const sweep = createSweepOrphans({
    tasks: world.tasks,
    inventory,
    roster: world.shifts.roster,
    clock: world.clock,
    logger: silentLogger,
  });
  let suspects: Readonly<Record<string, number>> = {};
  for (let round = 0; round < 5; round += 1) {
    for (const queue of world.strict.queues()) {
      world.strict.change(queue.name, { waiting: -(queue.history.at(-1)?.waiting ?? 0) });
    }
    await world.clock.sleep(60_000);
    const deadlineMs = world.clock.now() + 60_000;
    ({ suspects } = await sweep({ regions: [REGION], suspects, deadlineMs }));
    await world.settle(TASK, { audit: true });
    await world.clock.sleep(180_000);
  }
}

async function expectWanted(world: ConvergeWorld, task: Task | undefined): Promise<void> {
  const roster = (
    await Promise.all(['pull' as const, 'session' as const].map(world.shifts.roster.read))
  ).flat();
  const found = {
    queues: world.strict.queues().map(({ name }) => name.slice(name.indexOf(TASK))),
    mappings: world.strict.mappings().map((mapping) => [mapping.queueArn.split(TASK)[1], stateOf(mapping)]),
    rules: world.strict.rules().length,
    roster: roster.map(({ mode, version, lanes }) => ({ mode, version, lanes })),
  };
  if (task === undefined) {
    expect(found).toEqual({ queues: [], mappings: [], rules: 0, roster: [] });
    expect(await world.shifts.lanes.list(TASK)).toEqual([]);
    expect((await world.stack.read()).usedConcurrency).toBe(0);
    return;
  }
  const path = pathOf(task.definition);
  const runs = task.desired === 'running';
  const { lanes, whilePaused, ordering } = task.definition.options;
  const suffix = path === 'session' && ordering !== 'none' ? '.fifo' : '';
  const buffers = path === 'session' && whilePaused === 'buffer' && task.startedAt !== undefined;
  const mode = runs ? 'forward' : buffers ? 'buffer' : undefined;
  expect(task).toMatchObject({ status: runs ? 'running' : 'paused', observedVersion: task.version });
  expect(found).toEqual({
    queues: path === 'pull' ? [] : [`${TASK}${suffix}`],
    mappings: path === 'pull' ? [] : [[suffix, path === 'rule' && runs ? 'Enabled' : 'Disabled']],
    rules: path === 'rule' ? 1 : 0,
    roster: path === 'rule' || mode === undefined ? [] : [{ mode, version: task.version, lanes }],
  });
  // Nobody takes the name of a shift that was killed off a lane that is not worked on any more.
  const live = (await world.shifts.lanes.list(TASK)).filter((lane) => isLive(lane, world.clock.now()));
  expect(live.map(({ lane, state }) => [lane, state?.mode])).toEqual(
    path === 'rule' || mode === undefined ? [] : Array.from({ length: lanes }, (_, lane) => [lane, mode]),
  );
  expect((await world.stack.read()).usedConcurrency).toBe(path === 'rule' && runs ? 5 : 0);
}

describe('createConvergeTask with shifts, killed and throttled anywhere', () => {
  it('ends in what is wanted of queue, mapping, roster and lanes, with nothing left over', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ first, startNow, actions, seed, kills, throttles }) => {
        const random = randomOf(seed);
        const world = await createConvergeWorld({ random, queueDelayMs: 1_500 });
        injectFaults(world, random, kills, throttles);
        await world.create(TASK, first, startNow ? 'running' : 'paused');
        for (const next of actions) await act(world, next);
        await world.clock.sleep(20_000);
        await world.settle(TASK, { maxRounds: 400 });
        await calm(world);
        await expectWanted(world, await world.tasks.get(TASK));
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 150) },
    );
  }, 120_000);

  it('loses nothing that lanes buffered to a deletion that may not discard', async () => {
    await fc.assert(
      fc.asyncProperty(
        session,
        fc.nat({ max: 8_000 }),
        fc.integer({ min: 1, max: 2 ** 30 }),
        async (task, afterMs, seed) => {
          const random = randomOf(seed);
          const world = await createConvergeWorld({ random });
          await world.create(TASK, task);
          await world.settle(TASK);
          await world.setDesired(TASK, 'paused');
          await world.settle(TASK);
          await world.setDesired(TASK, 'deleted');
          const fromMs = world.clock.now() + afterMs;
          let buffered = 0;
          world.setOnCall((call) => {
            if (random() < 0.03) throw new Killed(call);
            // Only a lane puts messages there, and only while it holds its lease.
            const [queue] = world.strict.queues();
            if (
              buffered > 0 ||
              world.clock.now() < fromMs ||
              !world.shift.isBuffering() ||
              queue === undefined
            )
              return;
            world.strict.change(queue.name, { waiting: 1 });
            buffered += 1;
          });
          await world.settle(TASK);
          const kept = world.strict.queues()[0]?.history.at(-1)?.waiting ?? 0;
          expect(kept).toBe(buffered);
          expect((await world.tasks.get(TASK)) === undefined).toBe(buffered === 0);
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 60) },
    );
  }, 120_000);
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stateOf } from '../../../../lib/adapters/memory/strict-cloud-mappings.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import { uncoveredFilters } from '../../../../lib/domain/topics/topic-filter.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  FUNCTION_NAME,
  REGION,
  specSettings,
} from '../../../helpers/converge-world.ts';
import { injectFaults, Killed, randomOf, unlessRefused } from '../../../helpers/faults.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const OTHER_TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V5X';
/** Filters that overlap, cover one another or do neither, each with a topic that it alone need not match. */
const TOPICS: Readonly<Record<string, string>> = {
  'a/+': 'a/x',
  'a/b': 'a/b',
  'a/#': 'a/x/y',
  '+/b': 'z/b',
  'c/d': 'c/d',
  'e/#': 'e/f/g',
};

type Action =
  | {
      kind: 'start' | 'pause' | 'delete' | 'delete-discarding' | 'converge' | 'audit' | 'publish' | 'consume';
    }
  | { kind: 'edit'; filters: string[]; discard: boolean; maxMessages: number }
  | { kind: 'tamper'; what: 'remove-rule' | 'disable-rules' | 'queue-attributes' };

const filters = fc.shuffledSubarray(Object.keys(TOPICS), { minLength: 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<Action['kind']>('start', 'pause').map((kind) => ({ kind }) as Action),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('delete', 'delete-discarding').map((kind) => ({ kind }) as Action),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('converge', 'publish', 'consume', 'audit').map((kind) => ({ kind }) as Action),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      filters,
      discard: fc.boolean(),
      maxMessages: fc.constantFrom(10, 100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('tamper' as const),
      what: fc.constantFrom('remove-rule' as const, 'disable-rules' as const, 'queue-attributes' as const),
    }),
  },
);

const story = fc.record({
  filters,
  discard: fc.boolean(),
  startNow: fc.boolean(),
  actions: fc.array(action, { maxLength: 8 }),
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  /** Of a hundred calls, how many the process does not survive, and how many are throttled. */
  kills: fc.integer({ min: 0, max: 6 }),
  throttles: fc.integer({ min: 0, max: 6 }),
});

/** What other stacks have: one of a stage whose name begins like ours, one with our very prefix but another tag. */
function addForeign(world: ConvergeWorld): () => unknown {
  const payload = { sql: "SELECT 1 FROM 'a/+'", actions: [] };
  const tags = {
    'mqferry:stack': 'arn:aws:cloudformation:eu-west-1:123456789012:stack/mqferry-dev_x/0a1b2c3d-9',
  };
  const names = [
    `mqferry_dev_x_0a1b2c3d_${OTHER_TASK}_0`,
    `mqferry_dev_0a1b2c3d_${OTHER_TASK}_0`,
    'somebody_elses_rule',
  ];
  for (const name of names) world.strict.addRule({ name, payload, enabled: true, tags, changedAtMs: 0 });
  world.strict.addMapping({
    uuid: 'foreign',
    queueArn: `arn:aws:sqs:${REGION}:123456789012:mqferry-dev_x-0a1b2c3d-${OTHER_TASK}`,
    functionName: FUNCTION_NAME,
    enabled: true,
    tags,
  });
  return () =>
    structuredClone([
      world.strict.rules().filter(({ name }) => names.includes(name)),
      world.strict.mappings().filter(({ uuid }) => uuid === 'foreign'),
    ]);
}

async function act(world: ConvergeWorld, next: Action): Promise<void> {
  switch (next.kind) {
    case 'start':
      return unlessRefused(() => world.setDesired(TASK, 'running'));
    case 'pause':
      return unlessRefused(() => world.setDesired(TASK, 'paused'));
    case 'delete':
      return unlessRefused(() => world.setDesired(TASK, 'deleted'));
    case 'delete-discarding':
      return unlessRefused(() => world.setDesired(TASK, 'deleted', true));
    case 'edit': {
      const task = await world.tasks.get(TASK);
      const edited = definition(next.filters, {
        whilePaused: next.discard ? 'discard' : 'buffer',
        batch: { maxMessages: next.maxMessages, maxWaitSeconds: 1 },
      });
      return unlessRefused(() => world.edit(TASK, edited, task?.version ?? 1));
    }
    case 'tamper':
      return tamper(world, next.what);
    case 'publish':
      world.strict.publish('a/b');
      return;
    case 'consume':
      world.strict.consume();
      return;
    default:
      await once(world, next.kind === 'audit');
  }
}

function tamper(world: ConvergeWorld, what: Extract<Action, { kind: 'tamper' }>['what']): void {
  const ours = world.strict.rules().filter(({ name }) => name.includes(TASK));
  if (what === 'remove-rule' && ours[0] !== undefined) world.strict.removeRule(ours[0].name);
  if (what === 'disable-rules') for (const rule of ours) rule.enabled = false;
  if (what === 'queue-attributes')
    for (const queue of world.strict.queues()) queue.attributes.VisibilityTimeout = '60';
}

async function once(world: ConvergeWorld, audit: boolean): Promise<void> {
  try {
    await world.converge(TASK, { audit });
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    world.clock.advance(70_000);
  }
}

function expectWanted(world: ConvergeWorld, task: Task | undefined): void {
  const rules = world.strict.rules().filter(({ name }) => name.includes(TASK));
  const mappings = world.strict.mappings().filter(({ queueArn }) => queueArn.includes(TASK));
  const queues = world.strict.queues();
  if (task === undefined) {
    expect({ rules, mappings, queues }).toEqual({ rules: [], mappings: [], queues: [] });
    return;
  }
  const { source, options } = task.definition;
  const topicFilters = 'topicFilters' in source ? source.topicFilters : [];
  const runs = task.desired === 'running';
  const enabled = runs || (task.startedAt !== undefined && options.whilePaused === 'buffer');
  expect(task).toMatchObject({ status: runs ? 'running' : 'paused', observedVersion: task.version });
  const visibility = `${180 + options.batch.maxWaitSeconds}`;
  expect(queues).toMatchObject([{ attributes: { VisibilityTimeout: visibility } }]);
  expect(mappings.map((mapping) => [stateOf(mapping), mapping.BatchSize])).toEqual([
    [runs ? 'Enabled' : 'Disabled', options.batch.maxMessages],
  ]);
  const { names, ruleSql } = specSettings();
  expect(rules.map((rule) => [rule.name, rule.enabled, rule.payload.sql]).sort()).toEqual(
    uncoveredFilters(topicFilters, 'aws-iot')
      .map((ruleNumber) => {
        const topicFilter = topicFilters[ruleNumber] ?? '';
        const sql = ruleSql({ taskId: TASK, version: task.version, ruleNumber, topicFilter });
        return [names.ruleName(TASK, ruleNumber), enabled, sql];
      })
      .sort(),
  );
}

describe('createConvergeTask, killed and throttled anywhere', () => {
  it('ends in what is wanted, with nothing left over, nothing double, nothing foreign touched', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ filters, discard, startNow, actions, seed, kills, throttles }) => {
        const random = randomOf(seed);
        const world = await createConvergeWorld({
          random,
          roleReadyAtMs: Date.UTC(2026, 0, 1) + 20_000,
          queueDelayMs: 1_500,
        });
        const foreign = addForeign(world);
        const foreignBefore = foreign();
        injectFaults(world, random, kills, throttles);
        const first = definition(filters, { whilePaused: discard ? 'discard' : 'buffer' });
        await world.create(TASK, first, startNow ? 'running' : 'paused');
        for (const next of actions) await act(world, next);

        // What was published last must be counted before a deletion may be judged.
        world.clock.advance(20_000);
        await world.settle(TASK, { maxRounds: 400 });
        world.setOnCall(() => undefined);
        // A hand that disabled or removed something is noticed by the audit only.
        await world.settle(TASK, { audit: true });
        expectWanted(world, await world.tasks.get(TASK));
        expect(foreign()).toEqual(foreignBefore);
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 150) },
    );
  }, 120_000);

  it('keeps every filter that was and is wanted covered while a buffering task is edited', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        filters,
        fc.integer({ min: 1, max: 2 ** 30 }),
        async (before, after, seed) => {
          const random = randomOf(seed);
          const world = await createConvergeWorld({ random, queueDelayMs: 1_500 });
          await world.create(TASK, definition(before));
          await world.settle(TASK);
          await world.setDesired(TASK, 'paused');
          await world.settle(TASK);
          const kept = before.filter((filter) => after.includes(filter));
          const uncovered: string[] = [];
          world.setOnCall((call) => {
            if (random() < 0.02) throw new Killed(call);
            for (const filter of kept) {
              if (world.strict.publish(TOPICS[filter] ?? '').length === 0)
                uncovered.push(`${filter} ${call}`);
            }
          });
          await world.edit(TASK, definition(after), 1);
          await world.settle(TASK);
          expect(uncovered).toEqual([]);
          expectWanted(world, await world.tasks.get(TASK));
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 60) },
    );
  }, 120_000);

  it('loses no message to a deletion that may not discard', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 6_000 }),
        fc.integer({ min: 1, max: 2 ** 30 }),
        async (afterMs, seed) => {
          const random = randomOf(seed);
          const world = await createConvergeWorld({ random, queueDelayMs: 1_500 });
          await world.create(TASK, definition(['a/+']));
          await world.settle(TASK);
          await world.setDesired(TASK, 'paused');
          await world.settle(TASK);
          await world.setDesired(TASK, 'deleted');
          const publishAtMs = world.clock.now() + afterMs;
          let published = 0;
          world.setOnCall((call) => {
            if (random() < 0.03) throw new Killed(call);
            if (published === 0 && world.clock.now() >= publishAtMs)
              published = world.strict.publish('a/x').length;
          });
          await world.settle(TASK);
          const kept = world.strict.queues()[0]?.history.at(-1)?.waiting ?? 0;
          expect(kept).toBe(published);
          expect((await world.tasks.get(TASK)) === undefined).toBe(published === 0);
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 60) },
    );
  }, 120_000);
});

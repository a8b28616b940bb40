import { beforeEach, describe, expect, it } from '@jest/globals';
import { createInventory } from '../../../../lib/control/converge/sweep-inventory.ts';
import { createSweepOrphans, type SweepOrphans } from '../../../../lib/control/converge/sweep-orphans.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  FUNCTION_NAME,
  pullDefinition,
  REGION,
  STACK_ARN,
  silentLogger,
  specSettings,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const GONE = '01J9ZQ4Y8R7K2M5N6P0S1T3V5X';
const MINUTE_MS = 60_000;
const tags = { 'mqferry:stack': STACK_ARN, 'mqferry:task': GONE };
const payload = { sql: "SELECT 1 FROM 'a'", actions: [] };
const rule = (name: string, ruleTags: Record<string, string> = tags) => ({
  name,
  payload,
  enabled: true,
  tags: ruleTags,
  changedAtMs: 0,
});

let world: ConvergeWorld;
let sweep: SweepOrphans;
let suspects: Readonly<Record<string, number>>;
beforeEach(async () => {
  world = await createConvergeWorld();
  const inventory = createInventory({ cloud: world.cloud, settings: specSettings() });
  sweep = createSweepOrphans({
    tasks: world.tasks,
    inventory,
    roster: world.shifts.roster,
    clock: world.clock,
    logger: silentLogger,
  });
  suspects = {};
});

async function sweepOnce({ regions = [REGION], budgetMs = MINUTE_MS } = {}): Promise<string[]> {
  const result = await sweep({ regions, suspects, deadlineMs: world.clock.now() + budgetMs });
  suspects = result.suspects;
  return result.deleted;
}

async function makeOrphans(): Promise<void> {
  const { names, deadLetterQueueArn } = specSettings();
  const queue = await world.cloud.queues.ensure({
    name: names.queueName(GONE),
    visibilityTimeoutSeconds: 180,
    retentionSeconds: 1_209_600,
    deadLetterQueueArn,
    maxReceiveCount: 1_000,
    tags,
  });
  await world.cloud.mappings.create({
    queueArn: queue.arn,
    functionName: FUNCTION_NAME,
    enabled: false,
    batchSize: 10,
    maximumBatchingWindowSeconds: 0,
    maximumConcurrency: 5,
    tags,
  });
  world.strict.addRule(rule(names.ruleName(GONE, 0)));
  world.clock.advance(2 * MINUTE_MS);
}

describe('createSweepOrphans', () => {
  it('deletes what no task wants when it is seen again five minutes later, and not before', async () => {
    await makeOrphans();
    expect(await sweepOnce()).toEqual([]);
    world.clock.advance(4 * MINUTE_MS);
    expect(await sweepOnce()).toEqual([]);
    world.clock.advance(2 * MINUTE_MS);
    expect(await sweepOnce()).toEqual([
      expect.stringContaining('topic rule'),
      expect.stringContaining('mapping'),
      expect.stringContaining('queue'),
    ]);
    world.clock.advance(2 * MINUTE_MS);
    expect([world.strict.rules(), world.strict.mappings(), world.strict.queues()]).toEqual([[], [], []]);
    expect(await sweepOnce()).toEqual([]);
    expect(suspects).toEqual({});
  });

  it('leaves what its task wants, and rules that the task has not', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    const stray = specSettings().names.ruleName(TASK, 7);
    world.strict.addRule(rule(stray));
    world.clock.advance(MINUTE_MS);
    await sweepOnce();
    world.clock.advance(6 * MINUTE_MS);
    expect(await sweepOnce()).toEqual([`topic rule ${REGION}/${stray}`]);
    expect(world.strict.rules()).toHaveLength(1);
    expect(world.strict.mappings()).toHaveLength(1);
    expect(world.strict.queues()).toHaveLength(1);
  });

  it('takes tasks from the roster that are gone, or not of that path, and leaves the others', async () => {
    await world.create(TASK, pullDefinition());
    await world.settle(TASK);
    const entry = { mode: 'forward', lanes: 1, version: 1 } as const;
    await world.shifts.roster.put('pull', { taskId: GONE, ...entry });
    await world.shifts.roster.put('session', { taskId: TASK, ...entry });
    expect(await sweepOnce()).toEqual([`roster entry pull/${GONE}`, `roster entry session/${TASK}`]);
    expect(await world.shifts.roster.read('pull')).toMatchObject([{ taskId: TASK }]);
    expect(await world.shifts.roster.read('session')).toEqual([]);
  });

  it('deletes a queue of the other kind than the one its task has', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    const { names, deadLetterFifoQueueArn } = specSettings();
    const name = names.queueName(TASK, true);
    await world.cloud.queues.ensure({
      name,
      isFifo: true,
      visibilityTimeoutSeconds: 180,
      retentionSeconds: 1_209_600,
      deadLetterQueueArn: deadLetterFifoQueueArn,
      maxReceiveCount: 1_000,
      tags,
    });
    world.clock.advance(MINUTE_MS);
    await sweepOnce();
    world.clock.advance(6 * MINUTE_MS);
    expect(await sweepOnce()).toEqual([`queue ${name}`]);
    expect(world.strict.queues()).toMatchObject([{ name: names.queueName(TASK) }]);
  });

  it('touches nothing without both prefix and tag', async () => {
    const foreign = { 'mqferry:stack': STACK_ARN.replace('mqferry-dev', 'mqferry-dev_x') };
    const { names } = specSettings();
    world.strict.addRule(rule(names.ruleName(GONE, 0), foreign));
    world.strict.addRule(rule(names.ruleName(GONE, 1), {}));
    world.strict.addRule(rule(`mqferry_dev_x_0a1b2c3d_${GONE}_0`));
    world.strict.addRule(rule('somebody_elses'));
    world.strict.addMapping({
      uuid: 'foreign',
      queueArn: `arn:aws:sqs:${REGION}:123456789012:${names.queueName(GONE)}`,
      functionName: FUNCTION_NAME,
      enabled: true,
      tags: foreign,
    });
    for (let round = 0; round < 3; round += 1) {
      world.clock.advance(6 * MINUTE_MS);
      expect(await sweepOnce()).toEqual([]);
    }
    expect(suspects).toEqual({});
    expect(world.strict.rules()).toHaveLength(4);
    expect(world.strict.mappings()).toHaveLength(1);
  });

  it('forgives what found a task meanwhile', async () => {
    await makeOrphans();
    await sweepOnce();
    await world.create(GONE, definition(['a']), 'paused');
    await world.settle(GONE);
    world.clock.advance(6 * MINUTE_MS);
    expect(await sweepOnce()).toEqual([]);
  });

  it('looks at the task once more before it deletes', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    const stray = specSettings().names.ruleName(TASK, 7);
    world.strict.addRule(rule(stray));
    world.clock.advance(MINUTE_MS);
    await sweepOnce();
    world.clock.advance(6 * MINUTE_MS);
    const before = await world.tasks.get(TASK);
    if (before === undefined) throw new Error('the task is gone');
    const record = { name: stray, region: REGION, topicFilter: 'b', specHash: '', enabled: false };
    const after = {
      ...before,
      resources: { ...before.resources, rules: { ...before.resources.rules, 7: record } },
    };
    // Converge announces the rule just after the sweep has read the task.
    const answers = [before];
    const tasks = { get: async () => answers.shift() ?? after };
    const inventory = createInventory({ cloud: world.cloud, settings: specSettings() });
    const racing = createSweepOrphans({
      tasks,
      inventory,
      roster: world.shifts.roster,
      clock: world.clock,
      logger: silentLogger,
    });
    const deadlineMs = world.clock.now() + MINUTE_MS;
    expect(await racing({ regions: [REGION], suspects, deadlineMs })).toEqual({ deleted: [], suspects: {} });
    expect(world.strict.rules()).toHaveLength(2);
  });

  it('forgets what it has deleted, also when it could not look at everything', async () => {
    await makeOrphans();
    await sweepOnce();
    world.clock.advance(6 * MINUTE_MS);
    world.setOnCall((call) => {
      if (call === 'before DeleteQueueCommand') {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }
    });
    expect(await sweepOnce()).toHaveLength(2);
    expect(Object.keys(suspects)).toEqual([expect.stringContaining('queue')]);
  });

  it('keeps its suspicions when it had no time to look', async () => {
    await makeOrphans();
    await sweepOnce();
    const before = suspects;
    expect(await sweepOnce({ budgetMs: 0 })).toEqual([]);
    expect(suspects).toEqual(before);
    world.clock.advance(6 * MINUTE_MS);
    expect(await sweepOnce()).toHaveLength(3);
  });

  it('goes on with the others when the cloud refuses one', async () => {
    await makeOrphans();
    await sweepOnce();
    world.clock.advance(6 * MINUTE_MS);
    world.setOnCall((call) => {
      if (call === 'before DeleteTopicRuleCommand') {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }
    });
    expect(await sweepOnce()).toHaveLength(2);
    expect(Object.keys(suspects)).toContain(`topic rule ${REGION}/${specSettings().names.ruleName(GONE, 0)}`);
  });
});

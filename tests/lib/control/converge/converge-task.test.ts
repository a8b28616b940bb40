import { beforeEach, describe, expect, it } from '@jest/globals';
import { stateOf } from '../../../../lib/adapters/memory/strict-cloud-mappings.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  Killed,
  presentTask,
  REGION,
  specSettings,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const QUEUE = `mqferry-dev-0a1b2c3d-${TASK}`;
const ruleName = (n: number) => `mqferry_dev_0a1b2c3d_${TASK}_${n}`;

let world: ConvergeWorld;
beforeEach(async () => {
  world = await createConvergeWorld();
});

const rules = () => world.strict.rules().map(({ name, enabled }) => [name, enabled]);
const task = () => presentTask(world, TASK);

describe('createConvergeTask', () => {
  it('makes queue, mapping and rules of a new task, and enables nothing', async () => {
    await world.create(TASK, definition(['a/+', 'b/#', 'a/x']), 'paused');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 1 });
    expect(world.strict.queues()).toMatchObject([
      {
        name: QUEUE,
        attributes: { VisibilityTimeout: '180', MessageRetentionPeriod: '1209600' },
        tags: { 'mqferry:task': TASK },
      },
    ]);
    expect(world.strict.mappings()).toMatchObject([
      { enabled: false, BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] },
    ]);
    // "a/x" is covered by "a/+".
    expect(rules()).toEqual([
      [ruleName(0), false],
      [ruleName(1), false],
    ]);
    expect(world.strict.publish('a/x')).toEqual([]);
  });

  it('reports running only when the mapping is enabled and then the rules, lowest number first', async () => {
    const enabled: string[] = [];
    world.setOnCall((call) => {
      if (!/^after (Enable|Create|Replace)TopicRule/.test(call)) return;
      const on = world.strict.rules().filter((rule) => rule.enabled);
      if (on.length > enabled.length)
        enabled.push(...on.map(({ name }) => name).filter((name) => !enabled.includes(name)));
      if (on.length > 0) expect(world.strict.mappings().map(stateOf)).toEqual(['Enabled']);
    });
    await world.create(TASK, definition(['a/+', 'b/#', 'c']));
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'running', observedVersion: 1 });
    expect(enabled).toEqual([ruleName(0), ruleName(1), ruleName(2)]);
    const { resources } = await task();
    expect(resources.rulesVersion).toBe(1);
    expect(resources.rulesSettledAtMs).toBeGreaterThan(0);
    expect(await world.events(TASK)).toEqual(['TASK_CREATED', 'TASK_RUNNING']);
  });

  it('keeps the rules while it is paused, and says paused only when nothing is in hand', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    world.strict.change(QUEUE, { inFlight: 3 });
    world.clock.advance(10_000);
    await world.setDesired(TASK, 'paused');
    const first = await world.converge(TASK);
    expect(first.outcome).toBe('not-yet');
    for (let round = 0; round < 20; round += 1) await world.converge(TASK);
    expect(world.strict.mappings().map(stateOf)).toEqual(['Disabled']);
    expect((await task()).status).toBe('pausing');
    world.strict.change(QUEUE, { inFlight: -3 });
    await world.settle(TASK);
    expect((await task()).status).toBe('paused');
    expect(rules()).toEqual([[ruleName(0), true]]);
    expect(world.strict.publish('a/x')).toEqual([QUEUE]);
  });

  it('disables the rules first, the highest number first, where messages of a pause are skipped', async () => {
    await world.create(TASK, definition(['a/+', 'b/#'], { whilePaused: 'discard' }));
    await world.settle(TASK);
    const calls: string[] = [];
    world.setOnCall((call) => {
      if (/^after (Disable|Update)/.test(call))
        calls.push(`${call.split(' ')[1]} ${rules().map(([, on]) => on)}`);
    });
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    expect(calls).toEqual([
      'DisableTopicRuleCommand true,false',
      'DisableTopicRuleCommand false,false',
      'UpdateEventSourceMappingCommand false,false',
    ]);
    expect(world.strict.publish('a/x')).toEqual([]);
    expect((await task()).resources.rulesSettledAtMs).toBeUndefined();
  });

  it('leaves nothing of a deleted task', async () => {
    await world.create(TASK, definition(['a/+', 'b/#']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect([world.strict.rules(), world.strict.mappings(), world.strict.queues()]).toEqual([[], [], []]);
    expect(await world.events(TASK)).toContain('TASK_DELETED');
  });

  it('takes a deletion back when messages came, and has everything again', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted');
    world.strict.publish('a/x');
    await world.settle(TASK);
    expect(await task()).toMatchObject({
      desired: 'paused',
      status: 'paused',
      reason: { code: 'BACKLOG_NOT_EMPTY', hint: expect.stringContaining('discard') },
    });
    expect(rules()).toEqual([[ruleName(0), true]]);
    await world.setDesired(TASK, 'deleted', true);
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(await world.events(TASK)).toEqual(
      expect.arrayContaining(['BACKLOG_NOT_EMPTY', 'BACKLOG_DISCARDED', 'TASK_DELETED']),
    );
    expect(world.strict.queues()).toEqual([]);
  });

  it('lets rules settle anew when a deletion follows one that was taken back', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted');
    world.strict.publish('a/x');
    world.setOnCall((call) => {
      // The rule is there again, and nobody could record it.
      if (call === 'after CreateTopicRuleCommand') throw new Killed(call);
    });
    await expect(world.converge(TASK)).rejects.toThrow(Killed);
    expect(rules()).toEqual([[ruleName(0), true]]);
    expect((await task()).resources.inflowEndedAtMs).toBeUndefined();
  });

  it('takes records that stay hidden for longer than any function runs as waiting, not as in hand', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    // Given back in a long outage: they come again after up to an hour.
    world.strict.change(QUEUE, { inFlight: 3 });
    world.clock.advance(60_000);
    await world.setDesired(TASK, 'paused');
    const pausedAtMs = world.clock.now();
    await world.settle(TASK);
    expect((await task()).status).toBe('paused');
    expect(world.clock.now() - pausedAtMs).toBeGreaterThan(600_000);
    expect(world.clock.now() - pausedAtMs).toBeLessThan(660_000);
  });

  it('carries out an edit of a paused task: rules of removed filters go, the mapping is updated', async () => {
    await world.create(TASK, definition(['a/+', 'b/#', 'c']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.edit(
      TASK,
      definition(['a/+', 'd'], { batch: { maxMessages: 500, maxWaitSeconds: 1 }, concurrency: 9 }),
      1,
    );
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'paused', observedVersion: 2 });
    expect(world.strict.rules().map(({ payload }) => payload.sql?.split(' FROM ')[1])).toEqual([
      "'a/+'",
      "'d'",
    ]);
    expect(world.strict.rules().every(({ payload }) => payload.sql?.includes(' 2 AS r,'))).toBe(true);
    expect(world.strict.mappings()).toMatchObject([
      {
        BatchSize: 500,
        MaximumBatchingWindowInSeconds: 1,
        ScalingConfig: { MaximumConcurrency: 9 },
        enabled: false,
      },
    ]);
  });

  it('never leaves a filter without a rule while filters of a buffering task change places', async () => {
    await world.create(TASK, definition(['a/+', 'b/#', 'c']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    const published: string[][] = [];
    world.setOnCall((call) => {
      if (!/^after \w+TopicRule/.test(call)) return;
      for (const topicName of ['a/x', 'b/x', 'c']) published.push(world.strict.publish(topicName));
    });
    await world.edit(TASK, definition(['c', 'a/+', 'b/#']), 1);
    await world.settle(TASK);
    expect(published.length).toBeGreaterThan(9);
    expect(published.filter((queues) => queues.length === 0)).toEqual([]);
    expect(rules()).toEqual([
      [ruleName(0), true],
      [ruleName(1), true],
      [ruleName(2), true],
    ]);
  });

  it('rewrites rules of an older form, also of a running task, and leaves them enabled', async () => {
    await world.create(TASK, definition(['a/+', 'b/#']));
    await world.settle(TASK);
    const before = (await task()).resources.rulesSettledAtMs;
    const settings = specSettings({ ruleSql: ({ topicFilter }) => `SELECT 2 AS v FROM '${topicFilter}'` });
    await world.settle(TASK, { settings });
    expect(world.strict.rules().map(({ payload, enabled }) => [payload.sql, enabled])).toEqual([
      ["SELECT 2 AS v FROM 'a/+'", true],
      ["SELECT 2 AS v FROM 'b/#'", true],
    ]);
    expect(await task()).toMatchObject({ status: 'running', resources: { rulesSettledAtMs: before } });
  });

  it('does not overwrite what the data plane said', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    const reason = { code: 'TARGET_UNAVAILABLE', message: 'away', at: world.at() };
    await world.tasks.reportHealth(TASK, { status: 'degraded', reason });
    world.strict.removeRule(ruleName(0));
    await world.settle(TASK, { audit: true });
    expect(await task()).toMatchObject({ status: 'degraded', reason });
    expect(rules()).toEqual([[ruleName(0), true]]);
  });

  it('waits for a queue that SQS and Lambda do not know yet, instead of failing', async () => {
    world = await createConvergeWorld({ queueDelayMs: 1_500 });
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'running' });
    const { items } = await world.tasks.listEvents(TASK, { limit: 50 });
    expect(items.map(({ code }) => code)).not.toContain('TASK_FAILED');
  });

  it('waits for a role that AWS IoT does not know yet, and says so', async () => {
    world = await createConvergeWorld({ roleReadyAtMs: Date.UTC(2026, 0, 1) + 90_000 });
    await world.create(TASK, definition(['a/+']));
    expect(await world.converge(TASK)).toMatchObject({ outcome: 'not-yet' });
    expect(await task()).toMatchObject({ status: 'creating', reason: { code: 'RULE_ROLE_NOT_READY' } });
    await world.settle(TASK);
    expect(await task()).toMatchObject({ status: 'running' });
    expect((await task()).reason).toBeUndefined();
  });

  it('fails with the reason when a person has to act, and goes on at the next start', async () => {
    const settings = specSettings({ ruleSql: () => 'SELECT nonsense' });
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK, { settings });
    expect(await task()).toMatchObject({
      status: 'failed',
      reason: { code: 'RULE_SQL_REFUSED', hint: expect.any(String), at: expect.any(String) },
    });
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect((await task()).status).toBe('running');
    expect(await world.events(TASK)).toEqual([
      'TASK_CREATED',
      'TASK_FAILED',
      'START_REQUESTED',
      'TASK_RUNNING',
    ]);
  });

  it('fails a task whose source is in a region that does not exist, and lets it be deleted', async () => {
    const source = await world.iotIn('eu-wst-1');
    await world.create(TASK, { ...definition(['a/+']), source }, 'running', 'eu-wst-1');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toMatchObject({
      status: 'failed',
      reason: { code: 'REGION_UNKNOWN', hint: expect.stringContaining('region') },
    });
    await world.setDesired(TASK, 'deleted');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect([...world.strict.mappings(), ...world.strict.queues()]).toEqual([]);
  });

  it('deletes a mapping that it made and died before recording', async () => {
    const settings = specSettings({ ruleSql: () => 'SELECT nonsense' });
    await world.create(TASK, definition(['a/+']));
    world.setOnCall((call) => {
      if (call === 'after CreateEventSourceMappingCommand') throw new Killed(call);
    });
    await expect(world.converge(TASK)).rejects.toThrow(Killed);
    world.setOnCall((call) => {
      if (call.startsWith('before CreateEventSource') || call.startsWith('before ListEventSource')) {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }
    });
    world.clock.advance(70_000);
    await world.settle(TASK, { settings });
    expect(await task()).toMatchObject({ status: 'failed', reason: { code: 'CLOUD_ACCESS_DENIED' } });
    expect((await task()).resources.mapping).toBeUndefined();
    world.setOnCall(() => undefined);
    await world.setDesired(TASK, 'deleted');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect([world.strict.mappings(), world.strict.queues()]).toEqual([[], []]);
  });

  it('waits for a mapping that may still appear before it deletes the queue', async () => {
    await world.create(TASK, definition(['a/+']));
    world.setOnCall((call) => {
      if (call === 'before CreateEventSourceMappingCommand') {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }
    });
    await world.settle(TASK);
    const { mappingRequestedAtMs = 0 } = (await task()).resources;
    await world.setDesired(TASK, 'deleted');
    await world.settle(TASK);
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(world.clock.now()).toBeGreaterThan(mappingRequestedAtMs + 30_000);
  });

  it('picks up a change of mind in the middle', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.converge(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    expect(await task()).toMatchObject({ desired: 'paused', status: 'paused' });
    expect(world.strict.mappings()).toMatchObject([{ enabled: false }]);
  });

  it('makes a rule again that somebody deleted between two steps', async () => {
    await world.create(TASK, definition(['a/+', 'b/#'], { whilePaused: 'discard' }));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    world.strict.removeRule(ruleName(1));
    world.clock.advance(20_000);
    await world.setDesired(TASK, 'running');
    await world.settle(TASK);
    expect(rules()).toEqual([
      [ruleName(0), true],
      [ruleName(1), true],
    ]);
    expect(await world.events(TASK)).toContain('DRIFT_REPAIRED');
  });

  it('makes queue and mapping again that an audit does not find', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    const [mapping] = world.strict.mappings();
    const queue = await world.cloud.queues.describe(QUEUE);
    await world.cloud.mappings.delete(mapping?.uuid ?? '');
    await world.cloud.queues.delete(queue?.url ?? '');
    world.clock.advance(60_000);
    await world.settle(TASK, { audit: true });
    expect(world.strict.queues()).toHaveLength(1);
    expect(world.strict.mappings().map(stateOf)).toEqual(['Enabled']);
    expect((await task()).status).toBe('running');
    const { items } = await world.tasks.listEvents(TASK, { limit: 1 });
    expect(items[0]?.details).toEqual({ repaired: ['queue: gone', 'mapping: gone'] });
  });

  it('tells an audit nothing of a task that is being deleted', async () => {
    await world.create(TASK, definition(['a/+']), 'paused');
    await world.settle(TASK);
    await world.setDesired(TASK, 'deleted');
    world.strict.removeRule(ruleName(0));
    await world.settle(TASK, { audit: true });
    expect(await world.tasks.get(TASK)).toBeUndefined();
    expect(await world.events(TASK)).not.toContain('DRIFT_REPAIRED');
  });

  it('stops when its lease was lost while it slept', async () => {
    await world.create(TASK, definition(['a/+']));
    world.setOnCall((call) => {
      if (call !== 'after CreateQueueCommand') return;
      const record = world.state.tasks.get(TASK);
      if (record !== undefined) record.lease = { taskId: TASK, owner: 'other', epoch: 99, expiresAtMs: 1e15 };
    });
    expect(await world.converge(TASK)).toMatchObject({ outcome: 'not-yet' });
    expect((await task()).resources.queue).toBeUndefined();
    expect(world.state.tasks.get(TASK)?.lease).toMatchObject({ owner: 'other' });
  });

  it('breaks loudly on what no cloud said', async () => {
    await world.create(TASK, definition(['a/+']));
    world.setOnCall((call) => {
      if (call === 'before saveProgress') throw new TypeError('a mistake of ours');
    });
    await expect(world.converge(TASK)).rejects.toThrow(TypeError);
  });

  it('moves the rules when the source is in another region', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.settle(TASK);
    await world.setDesired(TASK, 'paused');
    await world.settle(TASK);
    await world.clusters.put(
      'elsewhere',
      { kind: 'aws-iot', name: 'e', region: 'us-east-1' },
      { at: world.at() },
    );
    const moved = definition(['a/+']);
    await world.edit(
      TASK,
      { ...moved, source: { clusterId: 'elsewhere', topicFilters: ['a/+'] } },
      1,
      'us-east-1',
    );
    await world.settle(TASK);
    expect(world.strict.rules(REGION)).toEqual([]);
    expect(world.strict.rules('us-east-1')).toHaveLength(1);
    expect((await world.memory.read()).regions).toEqual([REGION, 'us-east-1']);
  });

  it('does nothing once the stack is being removed', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.stack.markRemoving(world.at());
    expect(await world.converge(TASK)).toEqual({ outcome: 'done' });
    expect(world.strict.queues()).toEqual([]);
  });

  it('leaves a task alone that another run works on', async () => {
    await world.create(TASK, definition(['a/+']));
    await world.tasks.acquireLease(TASK, 'somebody', 60_000);
    expect(await world.converge(TASK)).toEqual({ outcome: 'not-yet', waitMs: 2_000 });
    expect(world.strict.queues()).toEqual([]);
  });

  it('is done with a task that does not exist', async () => {
    expect(await world.converge(TASK)).toEqual({ outcome: 'done' });
  });
});

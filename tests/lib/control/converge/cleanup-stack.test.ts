import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CleanupResult, createCleanupStack } from '../../../../lib/control/converge/cleanup-stack.ts';
import { createInventory } from '../../../../lib/control/converge/sweep-inventory.ts';
import type { BucketCleaner } from '../../../../lib/ports/bucket-cleaner.ts';
import type { TaskStore } from '../../../../lib/ports/task-store.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  FUNCTION_NAME,
  pullDefinition,
  REGION,
  STACK_ARN,
  sessionDefinition,
  silentLogger,
  specSettings,
} from '../../../helpers/converge-world.ts';

const taskIds = [
  '01J9ZQ4Y8R7K2M5N6P0S1T3V40',
  '01J9ZQ4Y8R7K2M5N6P0S1T3V41',
  '01J9ZQ4Y8R7K2M5N6P0S1T3V42',
] as const;
const [FIRST] = taskIds;
const UNKNOWN = '01J9ZQ4Y8R7K2M5N6P0S1T3V5X';

let world: ConvergeWorld;
beforeEach(async () => {
  world = await createConvergeWorld();
  for (const taskId of taskIds) {
    await world.create(taskId, definition(['a/+', 'b'], {}, `task-${taskId}`));
    await world.settle(taskId);
  }
});

const remaining = () => [...world.strict.rules(), ...world.strict.mappings(), ...world.strict.queues()];

function cleanup({
  budgetMs = 840_000,
  bucket,
  tasks = world.tasks,
}: {
  budgetMs?: number;
  bucket?: BucketCleaner;
  tasks?: Pick<TaskStore, 'list' | 'acquireLease' | 'get'>;
} = {}): Promise<CleanupResult> {
  const run = createCleanupStack({
    tasks,
    stack: world.stack,
    memory: world.memory,
    inventory: createInventory({ cloud: world.cloud, settings: specSettings() }),
    shifts: world.shifts,
    ...(bucket === undefined ? {} : { bucket }),
    region: REGION,
    clock: world.clock,
    logger: silentLogger,
  });
  return run({ owner: 'clean-up', deadlineMs: world.clock.now() + budgetMs });
}

describe('createCleanupStack', () => {
  it('leaves nothing, in the order rules, mappings, queues', async () => {
    const order: string[] = [];
    world.setOnCall((call) => {
      const [when, command] = call.split(' ');
      if (when === 'after' && command?.startsWith('Delete') && order.at(-1) !== command) order.push(command);
    });
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(remaining()).toEqual([]);
    expect(order).toEqual([
      'DeleteTopicRuleCommand',
      'DeleteEventSourceMappingCommand',
      'DeleteQueueCommand',
    ]);
    expect((await world.stack.read()).removing).toBe(true);
  });

  it('empties the roster, waits until shifts have stopped, and leaves no queue of a session', async () => {
    const ids = ['01J9ZQ4Y8R7K2M5N6P0S1T3V50', '01J9ZQ4Y8R7K2M5N6P0S1T3V51', '01J9ZQ4Y8R7K2M5N6P0S1T3V52'];
    const [ordered = '', plain = '', pulled = ''] = ids;
    await world.create(ordered, { ...sessionDefinition({ ordering: 'topic' }), taskName: 'ordered' });
    await world.create(plain, sessionDefinition());
    await world.create(pulled, pullDefinition());
    for (const taskId of ids) await world.settle(taskId);
    const live: number[] = [];
    world.setOnCall((call) => {
      if (call === 'before DeleteQueueCommand') live.push(liveLeases);
    });
    let liveLeases = -1;
    const list = world.shifts.slots.list;
    world.shifts.slots.list = async (kind) => {
      const slots = await list(kind);
      liveLeases = slots.filter(({ owner }) => owner !== undefined).length;
      return slots;
    };
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(remaining()).toEqual([]);
    expect(live.length).toBe(5);
    expect(new Set(live)).toEqual(new Set([0]));
    for (const kind of ['pull', 'session'] as const) expect(await world.shifts.roster.read(kind)).toEqual([]);
  });

  it('asks AWS nothing of places where brokers stand', async () => {
    const PULL = '01J9ZQ4Y8R7K2M5N6P0S1T3V50';
    const { source, ...pull } = pullDefinition();
    const place = { region: 'ap-guangzhou-1', endpoint: 'g:8081', tls: true, multiMessage: 'auto' } as const;
    await world.clusters.put('guangzhou', { kind: 'rocketmq', name: 'g', ...place }, { at: world.at() });
    const definedThere = { ...pull, source: { ...source, clusterId: 'guangzhou' } };
    await world.create(PULL, definedThere, 'paused', place.region);
    await world.settle(PULL);
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(remaining()).toEqual([]);
  });

  it('finishes though a task names a region that does not exist', async () => {
    const LOST = '01J9ZQ4Y8R7K2M5N6P0S1T3V50';
    const source = await world.iotIn('eu-wst-1');
    await world.create(LOST, { ...definition(['c'], {}, 'lost'), source }, 'running', 'eu-wst-1');
    await world.settle(LOST);
    expect(await world.tasks.get(LOST)).toMatchObject({
      status: 'failed',
      reason: { code: 'REGION_UNKNOWN' },
    });
    expect((await world.memory.read()).regions).toContain('eu-wst-1');
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(remaining()).toEqual([]);
  });

  it('does not wait for ever for a shift that does not stop', async () => {
    const PULL = '01J9ZQ4Y8R7K2M5N6P0S1T3V50';
    await world.create(PULL, pullDefinition());
    await world.settle(PULL);
    world.shift.kill();
    await world.shifts.lanes.acquire({ taskId: PULL, lane: 0 }, 'shift', 3_600_000);
    const before = world.clock.now();
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(world.clock.now() - before).toBeGreaterThan(90_000);
    expect(remaining()).toEqual([]);
  });

  it('finds what the table does not know, by prefix and tag, in every region that ever had rules', async () => {
    const tags = { 'mqferry:stack': STACK_ARN };
    const payload = { sql: "SELECT 1 FROM 'a'", actions: [] };
    const name = specSettings().names.ruleName(UNKNOWN, 0);
    await world.memory.addRegion('us-east-1');
    world.strict.addRule({ name, payload, enabled: true, tags, changedAtMs: 0 }, 'us-east-1');
    world.strict.addMapping({
      uuid: 'lost',
      queueArn: `arn:aws:sqs:${REGION}:123456789012:${specSettings().names.queueName(UNKNOWN)}`,
      functionName: FUNCTION_NAME,
      enabled: true,
      tags,
    });
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect([remaining(), world.strict.rules('us-east-1')]).toEqual([[], []]);
  });

  it('leaves the other stage alone', async () => {
    const tags = { 'mqferry:stack': STACK_ARN.replace('mqferry-dev/', 'mqferry-dev_x/') };
    const payload = { sql: "SELECT 1 FROM 'a'", actions: [] };
    const names = [`mqferry_dev_x_0a1b2c3d_${UNKNOWN}_0`, specSettings().names.ruleName(UNKNOWN, 0)];
    for (const name of names) world.strict.addRule({ name, payload, enabled: true, tags, changedAtMs: 0 });
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(world.strict.rules().map(({ name }) => name)).toEqual(names);
  });

  it('waits for whoever still works on a task', async () => {
    await world.tasks.acquireLease(FIRST, 'converge', 30_000);
    const before = world.clock.now();
    expect(await cleanup()).toEqual({ outcome: 'clean' });
    expect(world.clock.now() - before).toBeGreaterThan(30_000);
  });

  it('waits also for a task that the list shows late, and removes what was made for it meanwhile', async () => {
    // Converge looked at the stack just before it was marked, and the index did not have the task yet.
    await world.tasks.acquireLease(FIRST, 'converge', 40_000);
    const beganMs = world.clock.now();
    const list: TaskStore['list'] = async (filter, page) => {
      const { items } = await world.tasks.list(filter, page);
      return { items: items.filter(({ taskId }) => taskId !== FIRST || world.clock.now() > beganMs + 5_000) };
    };
    const tasks = { ...world.tasks, list };
    expect(await cleanup({ tasks })).toEqual({ outcome: 'clean' });
    expect(world.clock.now() - beganMs).toBeGreaterThan(40_000);
    expect(await world.tasks.acquireLease(FIRST, 'converge', 40_000)).toBeUndefined();
    expect(remaining()).toEqual([]);
  });

  it('says what is left when its time is up, and goes on when it is called again', async () => {
    await world.tasks.acquireLease(FIRST, 'converge', 60_000);
    expect(await cleanup({ budgetMs: 20_000 })).toEqual({
      outcome: 'continue',
      left: [`lease of task ${FIRST}`],
    });
    expect(await cleanup({ budgetMs: 62_000 })).toMatchObject({ outcome: 'continue' });
    let result: CleanupResult = { outcome: 'continue', left: [] };
    for (let calls = 0; calls < 5 && result.outcome === 'continue'; calls += 1)
      result = await cleanup({ budgetMs: 120_000 });
    expect(result).toEqual({ outcome: 'clean' });
    expect(remaining()).toEqual([]);
  });

  it('fails with the list of what it may not delete, when all else is gone', async () => {
    world.setOnCall((call) => {
      if (call === 'before DeleteQueueCommand') {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }
    });
    const result = await cleanup();
    expect(result).toMatchObject({
      outcome: 'failed',
      left: expect.arrayContaining([`queue ${specSettings().names.queueName(FIRST)} (CLOUD_ACCESS_DENIED)`]),
    });
    expect([world.strict.rules(), world.strict.mappings()]).toEqual([[], []]);
  });

  it('empties the bucket at last, where the data does not stay', async () => {
    const emptied: number[] = [];
    const bucket: BucketCleaner = {
      async empty() {
        emptied.push(remaining().length);
        return emptied.length > 1;
      },
    };
    expect(await cleanup({ bucket })).toEqual({ outcome: 'continue', left: ['objects in the bucket'] });
    expect(await cleanup({ bucket })).toEqual({ outcome: 'clean' });
    expect(emptied).toEqual([0, 0]);
  });
});

import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { createIotTopicRules } from '../../../lib/adapters/aws-iot/topic-rules.ts';
import { createDynamoClusterStore } from '../../../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoConvergeState } from '../../../lib/adapters/dynamodb/converge-state.ts';
import { createDynamoLaneLeases } from '../../../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoOverflowGroups } from '../../../lib/adapters/dynamodb/overflow-groups.ts';
import { createDynamoRateLimiter } from '../../../lib/adapters/dynamodb/rate-limiter.ts';
import { createDynamoShiftRoster } from '../../../lib/adapters/dynamodb/shift-roster.ts';
import { createDynamoShiftSlots } from '../../../lib/adapters/dynamodb/shift-slots.ts';
import { createDynamoStackStore } from '../../../lib/adapters/dynamodb/stack-store.ts';
import { createDynamoTaskStore } from '../../../lib/adapters/dynamodb/task-store.ts';
import { createLambdaEventSourceMappings } from '../../../lib/adapters/lambda/event-source-mappings.ts';
import { systemClock as clock } from '../../../lib/adapters/system/clock.ts';
import { createCleanupStack } from '../../../lib/control/converge/cleanup-stack.ts';
import { createPacer } from '../../../lib/control/converge/converge-pacer.ts';
import { createConvergeTask } from '../../../lib/control/converge/converge-task.ts';
import { createInventory } from '../../../lib/control/converge/sweep-inventory.ts';
import { createResourceNames } from '../../../lib/domain/tasks/resource-names.ts';
import type { TaskDefinition } from '../../../lib/domain/tasks/task.ts';
import { definition, silentLogger, specSettings } from '../../helpers/converge-world.ts';
import { createTables } from '../dynamodb/emulator.ts';
import { type EmulatedCloud, openEmulatedCloud } from './emulator.ts';

jest.setTimeout(120_000);

const REGION = 'eu-west-1';
const tables = createTables();
const opened: EmulatedCloud[] = [];
afterAll(async () => {
  for (const cloud of opened) await cloud.close();
  await tables.dropAll();
});

/** A stack of its own: table, names, function; converge and clean-up over the emulator on the machine's clock. */
async function openStack(stage: string) {
  const emulated = await openEmulatedCloud();
  opened.push(emulated);
  const table = await tables.open();
  const stackArn = `arn:aws:cloudformation:${REGION}:000000000000:stack/mqferry-${stage}/${emulated.id}-0000-0000-0000-000000000000`;
  const names = createResourceNames({ service: 'mqferry', stage, stackArn });
  const pacer = createPacer({ limiter: createDynamoRateLimiter(table, clock), clock });
  const cloud = {
    queues: emulated.queues,
    mappings: createLambdaEventSourceMappings({ lambda: emulated.lambda, pace: pacer('lambda', REGION) }),
    rules: { inRegion: () => createIotTopicRules({ iot: emulated.iot, pace: pacer('iot', REGION) }) },
  };
  const settings = specSettings({
    names,
    batchFunctionName: emulated.functionName,
    deadLetterQueueArn: emulated.deadLetterArn,
    deadLetterQueueUrl: emulated.deadLetterUrl,
    deadLetterFifoQueueArn: emulated.deadLetterFifoArn,
    ruleRoleArn: emulated.roleArn,
  });
  const tasks = createDynamoTaskStore(table, clock);
  const clusters = createDynamoClusterStore(table);
  const stack = createDynamoStackStore(table);
  const memory = createDynamoConvergeState(table);
  const at = () => new Date().toISOString();
  await clusters.put('devices', { kind: 'aws-iot', name: 'd', region: REGION }, { at: at() });
  await clusters.put(
    'business',
    { kind: 'rocketmq', name: 'b', region: REGION, endpoint: 'b:8081', tls: false, multiMessage: 'auto' },
    { at: at() },
  );
  const shifts = {
    roster: createDynamoShiftRoster(table),
    slots: createDynamoShiftSlots(table, clock),
    starter: { start: async () => undefined },
    lanes: createDynamoLaneLeases(table, clock),
  };
  const convergeTask = createConvergeTask({
    tasks,
    stack,
    memory,
    cloud,
    settings,
    clock,
    logger: silentLogger,
    shifts,
    overflowGroups: createDynamoOverflowGroups(table),
    targetProbe: { ask: async () => 'unknown' },
    settlingMs: 500,
    countLagMs: 500,
    ruleConcurrency: 100,
  });
  const cleanup = createCleanupStack({
    tasks,
    stack,
    memory,
    inventory: createInventory({ cloud, settings }),
    shifts,
    region: REGION,
    clock,
    logger: silentLogger,
  });

  return {
    ...emulated,
    cloud,
    names,
    tasks,
    convergeOnce: (taskId: string, audit = false) =>
      convergeTask(taskId, { owner: ulid(), deadlineMs: clock.now() + 60_000, waitBudgetMs: 20_000, audit }),
    cleanup: () => cleanup({ owner: 'clean-up', deadlineMs: clock.now() + 100_000 }),
    async create(task: TaskDefinition, desired: 'running' | 'paused' = 'running') {
      const taskId = ulid();
      const made = { taskId, definition: task, direction: 'mqtt-to-rocketmq' as const, sourceRegion: REGION };
      await tasks.create({ ...made, desired, at: at(), concurrencyLimit: 1_000 });
      return taskId;
    },
    setDesired: (taskId: string, desired: 'running' | 'paused' | 'deleted', discardBacklog = false) =>
      tasks.setDesired({ taskId, desired, concurrencyLimit: 1_000, at: at(), discardBacklog }),
    rulesOf: async (taskId: string) => {
      const found = await emulated.rules.list(`${names.rulePrefix}${taskId}`);
      return Promise.all(found.sort().map((name) => emulated.rules.get(name)));
    },
    mappingsOf: async (taskId: string) =>
      (await emulated.mappings.list(emulated.functionName)).filter(({ queueArn }) =>
        queueArn.endsWith(taskId),
      ),
    left: async () => [
      ...(await emulated.rules.list(names.rulePrefix)),
      ...(await emulated.mappings.list(emulated.functionName)),
      ...(await emulated.queues.list(names.queuePrefix)),
    ],
  };
}

describe('converge on the emulator', () => {
  let stack: Awaited<ReturnType<typeof openStack>>;
  beforeAll(async () => {
    stack = await openStack('dev');
  });

  it('makes, starts, pauses, edits and deletes a task', async () => {
    const taskId = await stack.create(definition(['a/+', 'b/#']));
    expect(await stack.convergeOnce(taskId)).toEqual({ outcome: 'done' });
    expect(await stack.tasks.get(taskId)).toMatchObject({ status: 'running', observedVersion: 1 });
    expect(await stack.rulesOf(taskId)).toMatchObject([{ enabled: true }, { enabled: true }]);
    expect(await stack.mappingsOf(taskId)).toMatchObject([
      { state: 'Enabled', reportsBatchItemFailures: true },
    ]);

    await stack.setDesired(taskId, 'paused');
    expect(await stack.convergeOnce(taskId)).toEqual({ outcome: 'done' });
    expect(await stack.tasks.get(taskId)).toMatchObject({ status: 'paused' });
    expect(await stack.mappingsOf(taskId)).toMatchObject([{ state: 'Disabled' }]);
    expect(await stack.rulesOf(taskId)).toMatchObject([{ enabled: true }, { enabled: true }]);

    await stack.tasks.saveDefinition({
      taskId,
      expectedVersion: 1,
      definition: definition(['c'], { batch: { maxMessages: 100, maxWaitSeconds: 1 } }),
      direction: 'mqtt-to-rocketmq',
      sourceRegion: REGION,
      at: new Date().toISOString(),
    });
    expect(await stack.convergeOnce(taskId)).toEqual({ outcome: 'done' });
    expect(await stack.rulesOf(taskId)).toMatchObject([
      { sql: expect.stringMatching(/ 2 AS r, .* FROM 'c'$/) },
    ]);
    expect(await stack.mappingsOf(taskId)).toMatchObject([
      { batchSize: 100, maximumBatchingWindowSeconds: 1 },
    ]);

    const queue = await stack.cloud.queues.describe(stack.names.queueName(taskId));
    await stack.sqs.send(new SendMessageCommand({ QueueUrl: queue?.url ?? '', MessageBody: 'waits' }));
    await stack.setDesired(taskId, 'deleted');
    expect(await stack.convergeOnce(taskId)).toEqual({ outcome: 'done' });
    expect(await stack.tasks.get(taskId)).toMatchObject({
      desired: 'paused',
      reason: { code: 'BACKLOG_NOT_EMPTY' },
    });

    await stack.setDesired(taskId, 'deleted', true);
    expect(await stack.convergeOnce(taskId)).toEqual({ outcome: 'done' });
    expect(await stack.tasks.get(taskId)).toBeUndefined();
    expect(await stack.left()).toEqual([]);
  });

  it('repairs what a hand has changed', async () => {
    const taskId = await stack.create(definition(['a/+', 'b/#']));
    await stack.convergeOnce(taskId);
    const [mapping] = await stack.mappingsOf(taskId);
    await stack.rules.delete(stack.names.ruleName(taskId, 0));
    await stack.rules.setEnabled(stack.names.ruleName(taskId, 1), false);
    if (mapping !== undefined) await stack.mappings.delete(mapping.uuid);
    expect(await stack.convergeOnce(taskId, true)).toEqual({ outcome: 'done' });
    expect(await stack.rulesOf(taskId)).toMatchObject([{ enabled: true }, { enabled: true }]);
    expect(await stack.mappingsOf(taskId)).toMatchObject([{ state: 'Enabled' }]);
    const { items } = await stack.tasks.listEvents(taskId, { limit: 10 });
    expect(items.find(({ code }) => code === 'DRIFT_REPAIRED')?.details).toEqual({
      repaired: ['mapping: gone', 'rule 0: gone', 'rule 1: enabled'],
    });
  });

  it('leaves nothing of a stack, and another stage untouched', async () => {
    const other = await openStack('dev_x');
    const kept = await other.create(definition(['a/+']));
    await other.convergeOnce(kept);
    const ids = await Promise.all(
      ['one', 'two', 'three'].map((taskName) => stack.create(definition(['a/+'], {}, taskName))),
    );
    for (const taskId of ids) await stack.convergeOnce(taskId);
    expect(await stack.cleanup()).toEqual({ outcome: 'clean' });
    expect(await stack.left()).toEqual([]);
    expect(await other.left()).toHaveLength(3);
    expect(await other.cleanup()).toEqual({ outcome: 'clean' });
    expect(await other.left()).toEqual([]);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { createDynamoOverflowGroups } from '../../../lib/adapters/dynamodb/overflow-groups.ts';
import { createMemoryControlQueue } from '../../../lib/adapters/memory/control-queue.ts';
import { createMemoryLargeBodies } from '../../../lib/adapters/memory/large-bodies.ts';
import { createMemoryPresenceStates } from '../../../lib/adapters/memory/presence-states.ts';
import { createMemoryRetryTallies } from '../../../lib/adapters/memory/retry-tallies.ts';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../../../lib/adapters/rocketmq/producer-pool.ts';
import { createSqsDeadLetterQueue } from '../../../lib/adapters/sqs/dead-letter-queue.ts';
import { createSqsOverflowQueue } from '../../../lib/adapters/sqs/overflow-queue.ts';
import { createSqsVisibility } from '../../../lib/adapters/sqs/visibility.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import type { LaneMemory } from '../../../lib/ports/lane-leases.ts';
import { createForwardBatch } from '../../../lib/replication/rule-path/forward-batch.ts';
import { createSessionLane } from '../../../lib/replication/session-path/session-lane.ts';
import type { Lane } from '../../../lib/replication/shifts/lane.ts';
import { createTestQueues } from '../../helpers/aws-emulator.ts';
import { memoryBatchFigures } from '../../helpers/batch-figures.ts';
import { eventually } from '../../helpers/eventually.ts';
import { memoryFigureMeters } from '../../helpers/figure-meters.ts';
import { forwardOnce } from '../../helpers/forward-once.ts';
import { createRecordingLogger, createTaskTable, rocketmqCluster } from '../../helpers/rule-path.ts';
import { sessionTask } from '../../helpers/session-lane.ts';
import { createTables } from '../dynamodb/emulator.ts';
import { availableBrokers, publishAll, sessionsAs, type TestBroker } from '../mqtt/session-brokers.ts';
import { startTestRocketmq, type TestRocketmq } from '../rocketmq/test-rocketmq.ts';

jest.setTimeout(240_000);

const OUTAGE_MS = 8_000;
/** More than come twice: what was sent and not answered when the target went away. Reading ends when nothing more comes. */
const DUPLICATES = 1_000;
/** Every 50 ms so many: 200 a second. */
const BURST = 10;
/** After the outage. */
const AFTER_MS = 1_500;
/** Ordered groups that are published to come back within that time, on a busy machine too. */
const WAY_BACK_MS = 90_000;

/** The session path on HiveMQ with its own limits, RocketMQ, and a task's queue; only the table of tasks is a double. */
describe('createSessionLane on HiveMQ, RocketMQ and SQS', () => {
  let rocketmq: TestRocketmq;
  let broker: TestBroker;
  const queues = createTestQueues();
  const tables = createTables();
  const pool = createProducerPool({ secrets: createMemorySecretReader({}), clock: systemClock });

  beforeAll(async () => {
    const [hivemq] = await availableBrokers();
    if (hivemq === undefined) throw new Error('HiveMQ is always there');
    [rocketmq, broker] = await Promise.all([
      startTestRocketmq(),
      hivemq.start('session-lane', { maxQueueSize: 1_000, maxInflight: 50 }),
    ]);
  });
  // An open lane would keep the process alive after a test that failed.
  const lanes = new Set<Lane>();
  afterEach(async () => {
    await Promise.all([...lanes].map((lane) => lane.close()));
    lanes.clear();
  });
  afterAll(async () => {
    await pool.close();
    await Promise.all([rocketmq.stop(), broker.stop(), queues.dropAll(), tables.dropAll()]);
  });

  async function setUp(isOrdered: boolean) {
    const taskId = ulid();
    const rocketmqTopic = await rocketmq.createTopic(isOrdered ? 'FIFO' : 'NORMAL');
    const suffix = isOrdered ? '.fifo' : '';
    const queue = await queues.create(`mqferry-test-0a1b2c3d-${taskId}${suffix}`, {
      VisibilityTimeout: '180',
      ...(isOrdered ? { FifoQueue: 'true' } : {}),
    });
    const handOverQueue = await queues.create();
    const task = sessionTask(
      {
        source: { clusterId: 'test', topicFilters: [`${taskId}/#`] },
        target: { clusterId: 'business', topic: rocketmqTopic },
        options: { ordering: isOrdered ? 'topic' : 'none' },
      },
      { taskId, resources: { rules: {}, queue: { ...queue, specHash: 'hash' } } },
    );
    const cluster = rocketmqCluster({ endpoint: rocketmq.rocketmq.endpoint });
    const logger = createRecordingLogger();
    const overflowGroups = createDynamoOverflowGroups(await tables.open());
    const largeBodies = createMemoryLargeBodies();
    const deadLetters = createSqsDeadLetterQueue({ sqs: queues.sqs, queueUrl: handOverQueue.url, logger });
    const reports: boolean[] = [];
    const openLane = createSessionLane({
      sessions: sessionsAs({ username: broker.username, password: broker.password }),
      producers: pool,
      deadLetters,
      overflowQueue: createSqsOverflowQueue({ sqs: queues.sqs, logger }),
      overflowGroups,
      largeBodies,
      tasks: {
        reportOverflow: async (_taskId, isOverflowing) => {
          reports.push(isOverflowing);
        },
      },
      control: createMemoryControlQueue(),
      figures: memoryFigureMeters(systemClock),
      clock: systemClock,
      logger,
      settings: { clientIdPrefix: 'mqferry', receiveMaximum: 1_000, maxPendingBytes: 16 * 1024 * 1024 },
    });
    const forwardBatch = createForwardBatch({
      tasks: createTaskTable(task),
      clusters: { get: async () => cluster },
      producers: pool,
      deadLetters,
      visibility: createSqsVisibility({ sqs: queues.sqs, logger }),
      largeBodies,
      overflowGroups,
      figures: memoryBatchFigures(systemClock),
      presenceStates: createMemoryPresenceStates(),
      retryTallies: createMemoryRetryTallies(),
      lanes: { list: async () => [] },
      clock: systemClock,
      logger,
    });
    let memory: LaneMemory = {};
    return {
      taskId,
      rocketmqTopic,
      queue,
      handOverQueue,
      reports,
      overflowGroups,
      logger,
      open: () => {
        const lane = openLane({
          task,
          source: broker.cluster,
          target: cluster,
          lane: 0,
          mode: 'forward',
          memory,
          firstLaneMemory: memory,
          remember: async (next) => {
            memory = next;
            return true;
          },
          isOurs: () => true,
          health: { working: () => undefined, failing: () => undefined, canary: () => undefined },
        });
        lanes.add(lane);
        return lane;
      },
      /** One invocation of the batching function with what the queue gives out; how many records have left the queue. */
      forward: () => forwardOnce(queues, queue, forwardBatch),
    };
  }

  /**
   * Publishes 200 a second into four topics, over an outage of the target; what is published, in order.
   *
   * @param isEnough - asked after the outage, until `afterMs` is over
   */
  async function publishOverOutage(
    taskId: string,
    { burst: count = BURST, afterMs = AFTER_MS, isEnough = (): boolean => false } = {},
  ): Promise<string[]> {
    const payloads: string[] = [];
    const broker0 = rocketmq.rocketmq.broker.pid;
    const publishFor = async (ms: number, isOver = (): boolean => false) => {
      for (const endMs = Date.now() + ms; Date.now() < endMs && !isOver(); await delay(50)) {
        const burst = Array.from({ length: count }, (_, index) => {
          const number = payloads.length + index;
          return `${number % 4}.${number}`;
        });
        payloads.push(...burst);
        await publishAll(
          broker.publisher,
          burst.map((payload) => ({
            topicName: `${taskId}/${payload.charAt(0)}`,
            payload: Buffer.from(payload),
          })),
        );
      }
    };
    await publishFor(1_500);
    process.kill(broker0, 'SIGSTOP');
    try {
      await publishFor(OUTAGE_MS);
    } finally {
      process.kill(broker0, 'SIGCONT');
    }
    await publishFor(afterMs, isEnough);
    return payloads;
  }

  it('loses nothing of an outage that is longer than the broker can keep', async () => {
    const { taskId, rocketmqTopic, open, forward, queue, reports, handOverQueue } = await setUp(false);
    const lane = open();
    await eventually(
      async () => lane.isEffective(),
      (isEffective) => isEffective,
      {
        timeoutMs: 20_000,
        what: 'the lane is effective',
      },
    );
    const payloads = await publishOverOutage(taskId);
    expect(reports[0]).toBe(true);
    expect(await queues.countVisible(queue.url)).toBeGreaterThan(0);
    let left = 0;
    for (let batch = await forward(); batch > 0; batch = await forward()) left += batch;
    expect(left).toBeGreaterThan(0);
    const messages = await rocketmq.readBack(rocketmqTopic, payloads.length + DUPLICATES, payloads.length);
    const arrived = new Set(messages.map(({ body }) => body.toString()));
    expect(payloads.filter((payload) => !arrived.has(payload))).toEqual([]);
    expect(await queues.countVisible(handOverQueue.url)).toBe(0);
  });

  it('keeps the order of each group over an outage and its overflow', async () => {
    const { taskId, rocketmqTopic, open, forward, overflowGroups } = await setUp(true);
    const lane = open();
    await eventually(
      async () => lane.isEffective(),
      (isEffective) => isEffective,
      {
        timeoutMs: 20_000,
        what: 'the lane is effective',
      },
    );
    const publishing = publishOverOutage(taskId);
    let isPublished = false;
    publishing.then(
      () => {
        isPublished = true;
      },
      () => undefined,
    );
    await eventually(
      () => overflowGroups.list(taskId),
      (marks) => marks.length === 4,
      {
        timeoutMs: 20_000,
        what: 'all groups have overflowed',
      },
    );
    // The function works as the lane goes on putting behind.
    for (let isEmpty = false; !isPublished || !isEmpty; ) isEmpty = (await forward()) === 0;
    const payloads = await publishing;
    await eventually(
      () => overflowGroups.list(taskId),
      (marks) => marks.length === 0,
      {
        timeoutMs: 20_000,
        what: 'no group has overflow any more',
      },
    );
    for (let group = 0; group < 4; group += 1) {
      const payload = `${group}.${payloads.length + group}`;
      payloads.push(payload);
      await broker.publisher.publishAsync(`${taskId}/${group}`, payload, { qos: 1 });
    }
    const messages = await rocketmq.readBack(rocketmqTopic, payloads.length + DUPLICATES, payloads.length);
    const arrived = [...new Set(messages.map(({ body }) => body.toString()))];
    for (const group of ['0.', '1.', '2.', '3.']) {
      const ofGroup = (body: string) => body.startsWith(group);
      expect(arrived.filter(ofGroup)).toEqual(payloads.filter(ofGroup));
    }
  });

  it('sends groups directly again while they are published to', async () => {
    const { taskId, rocketmqTopic, open, forward, overflowGroups } = await setUp(true);
    const lane = open();
    await eventually(async () => lane.isEffective(), Boolean, {
      timeoutMs: 20_000,
      what: 'the lane is effective',
    });
    let isPublished = false;
    let left = 4;
    // Each group gets 5 a second, until all are back: the queue gives out 10 at a time.
    const publishing = publishOverOutage(taskId, {
      burst: 1,
      afterMs: WAY_BACK_MS,
      isEnough: () => left === 0,
    }).finally(() => {
      isPublished = true;
    });
    await eventually(
      () => overflowGroups.list(taskId),
      (marks) => marks.length === 4,
      { timeoutMs: 20_000, what: 'all groups have overflowed' },
    );
    while (left > 0 && !isPublished) {
      await forward();
      left = (await overflowGroups.list(taskId)).length;
    }
    const payloads = await publishing;
    expect(left).toBe(0);
    expect(await forward()).toBe(0);
    const messages = await rocketmq.readBack(rocketmqTopic, payloads.length + DUPLICATES, payloads.length);
    const arrived = [...new Set(messages.map(({ body }) => body.toString()))];
    for (const group of ['0.', '1.', '2.', '3.']) {
      const ofGroup = (body: string) => body.startsWith(group);
      expect(arrived.filter(ofGroup)).toEqual(payloads.filter(ofGroup));
    }
  });
});

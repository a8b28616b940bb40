import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { createMemoryLargeBodies } from '../../../lib/adapters/memory/large-bodies.ts';
import { createMemoryOverflowGroups } from '../../../lib/adapters/memory/overflow-groups.ts';
import { createMemoryPresenceStates } from '../../../lib/adapters/memory/presence-states.ts';
import { createMemoryRetryTallies } from '../../../lib/adapters/memory/retry-tallies.ts';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../../../lib/adapters/rocketmq/producer-pool.ts';
import { createSqsDeadLetterQueue } from '../../../lib/adapters/sqs/dead-letter-queue.ts';
import { createSqsVisibility } from '../../../lib/adapters/sqs/visibility.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import { decodeHandOver } from '../../../lib/domain/dead-letters/dead-letter.ts';
import type { Task, TaskDefinition } from '../../../lib/domain/tasks/task.ts';
import { createForwardBatch } from '../../../lib/replication/rule-path/forward-batch.ts';
import type { SourceRecord } from '../../../lib/replication/rule-path/source-record.ts';
import { createTestQueues, type ReceivedMessage, type TestQueue } from '../../helpers/aws-emulator.ts';
import { memoryBatchFigures } from '../../helpers/batch-figures.ts';
import {
  createRecordingLogger,
  createTaskTable,
  type EnvelopeFields,
  envelopeText,
  rocketmqCluster,
  ruleTask,
} from '../../helpers/rule-path.ts';
import { startTestRocketmq, type TestRocketmq } from '../rocketmq/test-rocketmq.ts';

jest.setTimeout(240_000);

const FUNCTION_TIMEOUT_MS = 30_000;
/** A broker is back in 10 s on a machine that has nothing else to do. */
const RESTART_MS = 120_000;
const secrets = createMemorySecretReader({});

/** The rule path from a task's real queue to a real RocketMQ; only the table of tasks is a double. */
describe('createForwardBatch on RocketMQ and SQS', () => {
  let test: TestRocketmq;
  const queues = createTestQueues();
  const pool = createProducerPool({ secrets, clock: systemClock });

  beforeAll(async () => {
    test = await startTestRocketmq();
  });
  afterAll(async () => {
    await pool.close();
    await test.stop();
    await queues.dropAll();
  });

  /** A task with a queue of its own. */
  async function setUp(changes: Partial<Record<keyof TaskDefinition, unknown>>) {
    const taskId = ulid();
    const task: Task = ruleTask(changes, { taskId });
    const table = createTaskTable(task);
    const queue = await queues.create(`mqferry-test-0a1b2c3d-${taskId}`, { VisibilityTimeout: '180' });
    const handOverQueue = await queues.create();
    const logger = createRecordingLogger();
    const forwardBatch = createForwardBatch({
      tasks: table,
      clusters: { get: async () => rocketmqCluster({ endpoint: test.rocketmq.endpoint }) },
      producers: pool,
      deadLetters: createSqsDeadLetterQueue({ sqs: queues.sqs, queueUrl: handOverQueue.url, logger }),
      visibility: createSqsVisibility({ sqs: queues.sqs, logger }),
      largeBodies: createMemoryLargeBodies(),
      overflowGroups: createMemoryOverflowGroups(),
      figures: memoryBatchFigures(systemClock),
      presenceStates: createMemoryPresenceStates(),
      retryTallies: createMemoryRetryTallies(),
      lanes: { list: async () => [] },
      clock: systemClock,
      logger,
    });
    const envelope = (fields: EnvelopeFields) => envelopeText({ task: taskId, ts: Date.now(), ...fields });
    return {
      table,
      queue,
      handOverQueue,
      envelope,
      /** One invocation of the function, with so much time. */
      forward: (records: readonly SourceRecord[], timeoutMs = FUNCTION_TIMEOUT_MS) =>
        forwardBatch(records, { deadlineMs: Date.now() + timeoutMs }),
      /** Records that no queue gave: for batches that the emulator does not make. */
      records: (fields: readonly EnvelopeFields[]) =>
        fields.map((one, index) => recordOf(queue, { messageId: `${taskId}-${index}`, body: envelope(one) })),
    };
  }

  function recordOf(queue: TestQueue, message: Partial<ReceivedMessage>): SourceRecord {
    const { messageId = '', receiptHandle = `receipt-${messageId}`, body = '', attributes = {} } = message;
    return {
      recordId: messageId,
      receiptHandle,
      queueArn: queue.arn,
      body,
      receiveCount: Number(attributes.ApproximateReceiveCount ?? 1),
      sentTimeMs: Number(attributes.SentTimestamp ?? Date.now()),
      firstReceiveTimeMs: Number(attributes.ApproximateFirstReceiveTimestamp ?? Date.now()),
    };
  }

  const bodiesIn = async (topic: string, count: number) =>
    (await test.readBack(topic, count)).map(({ body }) => body.toString());
  const target = (topic: string, more: Record<string, unknown> = {}) => ({
    target: { clusterId: 'business', topic, ...more },
  });

  it('carries every message of a batch of 2,000 records, whole', async () => {
    const topic = await test.createTopic('NORMAL');
    const { forward, records } = await setUp(target(topic, { tag: '${topic[3]}', keys: ['${topic[2]}'] }));
    const batch = records(
      Array.from({ length: 2_000 }, (_, index) => ({
        payload: `message ${index}`,
        t: `stations/${index}/status`,
      })),
    );
    const { failedRecordIds, counts } = await forward(batch);
    expect(failedRecordIds).toEqual([]);
    expect(counts[0]).toMatchObject({ consumed: 2_000, replicated: 2_000 });
    const messages = await test.readBack(topic, 2_000);
    expect(new Set(messages.map(({ body }) => body.toString())).size).toBe(2_000);
    const seventh = messages.find(({ body }) => body.toString() === 'message 7');
    expect(seventh).toMatchObject({ tag: 'status', keys: ['7'] });
    expect(seventh?.properties.get('mqtt_topic')).toBe('stations/7/status');
    expect(seventh?.properties.get('mqtt_client_id')).toBe('charger-7');
  });

  it('keeps the order of every message group of a FIFO topic', async () => {
    const topic = await test.createTopic('FIFO');
    const { forward, records } = await setUp(target(topic, { messageGroup: '${topic[2]}' }));
    const batch = records(
      Array.from({ length: 60 }, (_, index) => ({
        payload: `${index % 4}:${String(index).padStart(3, '0')}`,
        t: `stations/${index % 4}/status`,
      })),
    );
    expect((await forward(batch)).failedRecordIds).toEqual([]);
    const bodies = await bodiesIn(topic, 60);
    for (const group of ['0', '1', '2', '3']) {
      const ofGroup = bodies.filter((body) => body.startsWith(`${group}:`));
      expect(ofGroup).toEqual(ofGroup.toSorted());
      expect(ofGroup).toHaveLength(15);
    }
  });

  it('carries large payloads that do not fit into one request together', async () => {
    const topic = await test.createTopic('NORMAL');
    const { forward, records } = await setUp(target(topic));
    // 32 in one receive must stay below the 4 MiB that a gRPC client takes.
    const payload = Buffer.alloc(100 * 1024, 0xff);
    const batch = records(Array.from({ length: 70 }, () => ({ payload })));
    expect((await forward(batch)).failedRecordIds).toEqual([]);
    const messages = await test.readBack(topic, 70);
    expect(messages.every(({ body }) => body.equals(payload))).toBe(true);
  });

  it('hands over what can never work, whole, and carries the rest of the batch', async () => {
    const topic = await test.createTopic('NORMAL');
    const { forward, records, handOverQueue } = await setUp(target('${payload.topic}'));
    const to = (name: string) => JSON.stringify({ topic: name });
    const batch = records([
      { payload: to(topic) },
      { payload: to('no_such_topic') },
      { payload: to('not/a/topic') },
      { payload: 'no json' },
      { payload: to(topic), up: [{ large: 'x'.repeat(16_000) }] },
      { payload: to(topic) },
    ]);
    const { failedRecordIds, counts } = await forward(batch);
    expect(failedRecordIds).toEqual([]);
    expect(counts[0]?.failed).toEqual({
      TOPIC_NOT_FOUND: 1,
      TOPIC_INVALID: 1,
      TEMPLATE_VALUE_MISSING: 1,
      PROPERTIES_TOO_LARGE: 1,
    });
    expect(await bodiesIn(topic, 2)).toHaveLength(2);
    const received = await queues.receiveAll(handOverQueue.url, 4);
    const entries = received.flatMap(({ body }) => decodeHandOver(JSON.parse(body)) ?? []);
    const envelopes = new Map(batch.map(({ recordId, body }) => [recordId, body]));
    expect(entries).toHaveLength(4);
    for (const entry of entries) expect(entry.envelope).toBe(envelopes.get(entry.recordId));
  });

  it('holds what waits for a fixed topic until somebody creates it', async () => {
    const { forward, records, table } = await setUp(target('created_too_late'));
    const { counts } = await forward(records([{}, {}]));
    expect(counts[0]?.returned).toEqual({ TOPIC_NOT_FOUND: 2 });
    expect(table.task).toMatchObject({ status: 'degraded', reason: { code: 'TOPIC_NOT_FOUND' } });
  });

  describe('while the broker is away', () => {
    it('carries the batch when it is back within the time of the function', async () => {
      const topic = await test.createTopic('NORMAL');
      const { forward, records, table } = await setUp(target(topic));
      await test.rocketmq.kill();
      const beganMs = Date.now();
      const told: Array<{ status: string; afterMs: number }> = [];
      const { reportHealth } = table;
      table.reportHealth = (taskId, health) => {
        told.push({ status: health.status, afterMs: Date.now() - beganMs });
        return reportHealth(taskId, health);
      };
      const batch = forward(records(['a', 'b', 'c'].map((payload) => ({ payload }))), RESTART_MS);
      await test.rocketmq.restart();
      const { failedRecordIds, counts } = await batch;
      expect(failedRecordIds).toEqual([]);
      expect(counts[0]?.replicated).toBe(3);
      expect(counts[0]?.retried).toBeGreaterThan(0);
      expect(told.map(({ status }) => status)).toEqual(['degraded', 'running']);
      expect(told[0]?.afterMs).toBeLessThan(5_000);
      expect(new Set(await bodiesIn(topic, 3))).toEqual(new Set(['a', 'b', 'c']));
    });

    it('gives the records back for some seconds when it is away for longer, and makes no dead letters', async () => {
      const topic = await test.createTopic('NORMAL');
      const { forward, queue, handOverQueue, envelope, table } = await setUp(target(topic));
      const payloads = Array.from({ length: 12 }, (_, index) => `message ${index}`);
      await queues.send(
        queue.url,
        payloads.map((payload) => envelope({ payload })),
      );
      const first = await queues.receiveAll(queue.url, 12);
      await test.rocketmq.kill();
      const beganMs = Date.now();
      const { failedRecordIds, counts } = await forward(
        first.map((message) => recordOf(queue, message)),
        14_000,
      );
      expect(new Set(failedRecordIds)).toEqual(new Set(first.map(({ messageId }) => messageId)));
      expect(Object.values(counts[0]?.returned ?? {})).toEqual([12]);
      expect(counts[0]?.failed).toEqual({});
      expect(Date.now() - beganMs).toBeLessThan(14_000);
      expect(table.task).toMatchObject({ status: 'degraded', reason: { about: 'target' } });

      await test.rocketmq.restart();
      // 180 s would pass without the change of visibility. A broker that has just come may not know its topics yet.
      const stored = new Set<string>();
      while (stored.size < 12) {
        const again = await queues.receiveAll(queue.url, 12 - stored.size);
        expect(again.every(({ attributes }) => Number(attributes.ApproximateReceiveCount) > 1)).toBe(true);
        const result = await forward(again.map((message) => recordOf(queue, message)));
        expect(result.counts[0]?.failed).toEqual({});
        for (const { messageId } of again)
          if (!result.failedRecordIds.includes(messageId)) stored.add(messageId);
      }
      expect(new Set(await bodiesIn(topic, 12))).toEqual(new Set(payloads));
      expect(table.task?.status).toBe('running');
      expect(await queues.countVisible(handOverQueue.url)).toBe(0);
    });
  });
});

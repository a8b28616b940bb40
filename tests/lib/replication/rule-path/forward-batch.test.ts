import { describe, expect, it } from '@jest/globals';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import type { MemoryMessageProducer } from '../../../../lib/adapters/memory/message-producer.ts';
import {
  BrokerHoldError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors/errors.ts';
import type { EmfDocument } from '../../../../lib/domain/figures/emf.ts';
import type { RocketmqMessage } from '../../../../lib/domain/messages/message.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { MessageProducer } from '../../../../lib/ports/message-producer.ts';
import { deadLetterIdOf } from '../../../../lib/replication/dead-letters/dead-letter-id.ts';
import { createBatchFigures } from '../../../../lib/replication/figures/batch-figures.ts';
import { createMetricsReport } from '../../../../lib/replication/figures/count-report.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import { emfFaults } from '../../../helpers/emf-schema.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  NOW_MS,
  ruleTask,
  sourceRecord,
  TASK_ID,
} from '../../../helpers/rule-path.ts';

const DEADLINE = { deadlineMs: NOW_MS + 30_000 };

const TOPICS = { charger_status: 'NORMAL', other: 'NORMAL', fifo: 'FIFO' } as const;

function setUp(task: Task | undefined = ruleTask(), changes: Partial<ForwardBatchPorts> = {}) {
  return createForwardWorld(task, TOPICS, changes);
}

const property = (message: RocketmqMessage | undefined, name: string) => message?.properties.get(name);
const bodies = (producer: MemoryMessageProducer, topic = 'charger_status') =>
  producer.stored(topic).map(({ body }) => body.toString());

describe('createForwardBatch', () => {
  it('tells which messages failed, for good and for now, with the write that counts them', async () => {
    const clock = createSteppingClock();
    const store = createMemoryFigureStore();
    const figures = createBatchFigures({ store, clock, logger: createRecordingLogger() });
    const task = ruleTask({ target: { clusterId: 'business', topic: '${payload.topic}' } });
    const { forwardBatch, producer } = setUp(task, { figures });
    producer.decide(() => new BrokerUnavailableError('away', { code: 'TARGET_UNAVAILABLE' }));
    const [bad, ...tried] = [
      sourceRecord({ payload: '{"secret":"s3"}', id: 'trace-1' }),
      sourceRecord({ payload: '{"topic":"other"}' }),
      sourceRecord({ payload: '{"topic":"other"}' }),
    ] as const;
    await forwardBatch([bad, ...tried], DEADLINE);
    const { errors } = await store.totals(TASK_ID);
    expect(errors).toHaveLength(2);
    expect(errors).toEqual(
      expect.arrayContaining([
        {
          atMs: expect.any(Number),
          code: 'TEMPLATE_VALUE_MISSING',
          reason: expect.stringContaining('payload.topic'),
          outcome: 'dead-letter',
          sourceTopic: 'stations/7/status',
          sourceId: bad.recordId,
          mqferryId: 'trace-1',
          deadLetterId: deadLetterIdOf({ ...bad, taskId: TASK_ID, firstSeenAtMs: bad.firstReceiveTimeMs }),
        },
        expect.objectContaining({
          code: 'TARGET_UNAVAILABLE',
          outcome: 'retried',
          sourceId: tried[0].recordId,
          targetTopic: 'other',
        }),
      ]),
    );
    expect(JSON.stringify(errors)).not.toContain('s3');
  });

  it('stores every message of a batch and acknowledges its record', async () => {
    const { forwardBatch, producer, visibility, table } = setUp();
    const records = ['a', 'b', 'c'].map((payload) => sourceRecord({ payload }));
    const { failedRecordIds, counts } = await forwardBatch(records, DEADLINE);
    expect(failedRecordIds).toEqual([]);
    expect(bodies(producer)).toEqual(['a', 'b', 'c']);
    expect(producer.sends).toBe(1);
    expect(counts).toEqual([
      expect.objectContaining({
        taskId: TASK_ID,
        records: 3,
        consumed: 3,
        replicated: 3,
        bytes: 3,
        retried: 0,
      }),
    ]);
    expect(visibility.changes).toEqual([]);
    expect(table.reports).toEqual([]);
  });

  it('writes one line for a batch, with counts and without payloads', async () => {
    const { forwardBatch, logger } = setUp();
    await forwardBatch([sourceRecord({ payload: 'secret-payload' }), sourceRecord('{')], DEADLINE);
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines[0]).toMatchObject({
      level: 'info',
      message: 'batch forwarded',
      fields: { taskId: TASK_ID, replicated: 1, failed: { ENVELOPE_INVALID: 1 } },
    });
    expect(JSON.stringify(logger.lines)).not.toContain('secret-payload');
  });

  it('tells a batch as metrics instead, in that one line, with how long its messages took', async () => {
    const logger = createRecordingLogger();
    const clock = createSteppingClock();
    const written: { message: string; document: EmfDocument; level: string | undefined }[] = [];
    const report = createMetricsReport({
      service: 'mqferry',
      stage: 'dev',
      direction: 'mqtt-to-rocketmq',
      metrics: { write: (message, document, level) => written.push({ message, document, level }) },
      clock,
    });
    const { forwardBatch } = setUp(ruleTask({ options: { metrics: 'task' } }), { report, logger });
    const records = [
      sourceRecord({ payload: 'secret-payload', ts: NOW_MS - 1_000 }, { sentTimeMs: NOW_MS - 900 }),
      sourceRecord({ ts: NOW_MS - 9e8 }, { redriven: 'dead-letter' }),
      sourceRecord('{'),
    ];
    await forwardBatch(records, DEADLINE);
    expect(logger.lines).toEqual([]);
    expect(written).toHaveLength(1);
    const line = written[0];
    if (line === undefined) throw new Error('no line');
    const { message, level, document } = line;
    expect([message, level]).toEqual(['batch forwarded', 'info']);
    expect(emfFaults(document)).toEqual([]);
    expect(document).toMatchObject({ taskId: TASK_ID, records: 3, replicated: 2, failed: 1 });
    // The redriven one would say nothing but how long a person took.
    expect(document.syncLatencyMs).toEqual([expect.any(Number)]);
    expect(Number([document.syncLatencyMs].flat()[0])).toBeGreaterThanOrEqual(1_000);
    expect(document._aws?.CloudWatchMetrics[0]?.Dimensions).toHaveLength(3);
    expect(JSON.stringify(written)).not.toContain('secret-payload');
  });

  it('joins each message with its RocketMQ message id, for who asks for debug lines', async () => {
    const logger = Object.assign(createRecordingLogger(), { isDebug: true });
    const { forwardBatch, producer } = setUp(ruleTask(), { logger });
    await forwardBatch([sourceRecord({ payload: 'a' })], DEADLINE);
    const [message] = producer.stored('charger_status');
    expect(logger.lines[0]).toEqual({
      level: 'debug',
      message: 'message stored',
      fields: {
        mqferryId: property(message, 'mqferry_id'),
        topicName: property(message, 'mqtt_topic'),
        recordId: expect.any(String),
        rocketmqTopic: 'charger_status',
        messageId: expect.any(String),
        syncLatencyMs: expect.any(Number),
      },
    });
    expect(logger.lines).toHaveLength(2);
  });

  it('tells the times at the source, at our receipt and at the attempt that arrived', async () => {
    const { forwardBatch, producer } = setUp();
    let attempts = 0;
    producer.decide(() => {
      attempts += 1;
      return attempts < 5 ? new BrokerUnavailableError('away') : undefined;
    });
    await forwardBatch([sourceRecord({ ts: NOW_MS - 1234 })], DEADLINE);
    const [message] = producer.stored('charger_status');
    expect(property(message, 'mqferry_source_time')).toBe(String(NOW_MS - 1234));
    expect(property(message, 'mqferry_receipt_time')).toBe(String(NOW_MS));
    expect(Number(property(message, 'mqferry_send_time'))).toBeGreaterThan(NOW_MS + 250);
  });

  it('hands over what cannot be mapped, with its reason, and carries the rest', async () => {
    const task = ruleTask({
      target: { clusterId: 'business', topic: 'charger_status', tag: '${payload.kind}' },
    });
    const { forwardBatch, producer, deadLetters } = setUp(task);
    const bad = sourceRecord({ payload: 'no json' }, { receiveCount: 2 });
    const { failedRecordIds, counts } = await forwardBatch(
      [sourceRecord({ payload: '{"kind":"x"}' }), bad],
      DEADLINE,
    );
    expect(failedRecordIds).toEqual([]);
    expect(producer.stored('charger_status')).toHaveLength(1);
    expect(deadLetters.entries).toEqual([
      {
        taskId: TASK_ID,
        version: 3,
        code: 'TEMPLATE_VALUE_MISSING',
        reason: expect.stringContaining('${payload.kind}'),
        recordId: bad.recordId,
        envelope: bad.body,
        attempts: 2,
        firstSeenAtMs: bad.firstReceiveTimeMs,
        failedAtMs: NOW_MS,
      },
    ]);
    expect(counts[0]).toMatchObject({
      replicated: 1,
      consumed: 1,
      retried: 1,
      failed: { TEMPLATE_VALUE_MISSING: 1 },
    });
  });

  it('never acknowledges a record whose dead letter was not accepted', async () => {
    const accepts = [
      async () => [false],
      async () => [],
      async () => [1 as unknown as boolean],
      async () => undefined as unknown as boolean[],
      async () => {
        throw new Error('queue away');
      },
    ];
    for (const send of accepts) {
      const { forwardBatch } = setUp(ruleTask(), { deadLetters: { send } });
      const record = sourceRecord('not json');
      const { failedRecordIds, counts } = await forwardBatch([record], DEADLINE);
      expect(failedRecordIds).toEqual([record.recordId]);
      expect(counts[0]).toMatchObject({ failed: {}, returned: { HAND_OVER_FAILED: 1 } });
    }
  });

  it('keeps what the producer does not clearly answer', async () => {
    const answers: unknown[] = [
      undefined,
      'stored',
      [],
      [{ status: 'stored' }],
      [{ status: 'ok', messageId: 'x' }],
      [{ status: 'failed', error: new Error('plain') }],
      [null],
    ];
    for (const answer of answers) {
      const producer = { send: async () => answer, close: async () => {} } as unknown as MessageProducer;
      const { forwardBatch, deadLetters } = setUp(ruleTask(), {
        producers: { producerFor: async () => producer },
      });
      const record = sourceRecord();
      const { failedRecordIds } = await forwardBatch([record], DEADLINE);
      expect({ answer, failedRecordIds }).toEqual({ answer, failedRecordIds: [record.recordId] });
      expect(deadLetters.entries).toEqual([]);
    }
  });

  it.each([1, 3])('keeps a batch of two when the producer answers %i results', async (results) => {
    const producer = {
      send: async () =>
        Array.from({ length: results }, () => ({ status: 'stored' as const, messageId: 'id' })),
      check: async () => {},
      close: async () => {},
    };
    const { forwardBatch } = setUp(ruleTask(), { producers: { producerFor: async () => producer } });
    const { failedRecordIds } = await forwardBatch([sourceRecord(), sourceRecord()], DEADLINE);
    expect(failedRecordIds).toHaveLength(2);
  });

  it('keeps the batch when the producer throws, whatever it throws', async () => {
    for (const error of [new Error('misuse'), new InvalidMessageError('as a whole'), 'text']) {
      const producer = {
        send: async () => {
          throw error;
        },
        check: async () => {},
        close: async () => {},
      };
      const { forwardBatch, deadLetters } = setUp(ruleTask(), {
        producers: { producerFor: async () => producer },
      });
      const records = [sourceRecord(), sourceRecord()];
      const { failedRecordIds } = await forwardBatch(records, DEADLINE);
      expect(failedRecordIds).toEqual(records.map(({ recordId }) => recordId));
      expect(deadLetters.entries).toEqual([]);
    }
  });

  it('counts what it leaves out on purpose, and acknowledges it', async () => {
    const task = ruleTask({
      source: { clusterId: 'devices', topicFilters: ['stations/+/status', 'stations/#'] },
    });
    const { forwardBatch, producer } = setUp(task);
    const { failedRecordIds, counts } = await forwardBatch(
      [
        sourceRecord(),
        sourceRecord({ t: 'elsewhere' }),
        sourceRecord({ f: 1, t: 'stations/1/status' }),
        sourceRecord({ up: [{ mqferry_path: TASK_ID }] }),
      ],
      DEADLINE,
    );
    expect(failedRecordIds).toEqual([]);
    expect(counts[0]).toMatchObject({ records: 4, filtered: 1, loopSkipped: 1, replicated: 2 });
    expect(producer.sends).toBe(1);
  });

  it('keeps its answer when nothing else can be said any more', async () => {
    const { forwardBatch, producer } = setUp(ruleTask(), {
      visibility: {
        change: async () => {
          throw new Error('queue away');
        },
      },
    });
    producer.decide(({ body }) =>
      body.toString() === 'bad' ? new BrokerHoldError('x', { code: 'X', scope: 'cluster' }) : undefined,
    );
    const bad = sourceRecord({ payload: 'bad' });
    const { failedRecordIds } = await forwardBatch([sourceRecord(), bad], DEADLINE);
    expect(failedRecordIds).toEqual([bad.recordId]);
  });

  it('keeps batches of several queues apart', async () => {
    const { forwardBatch, logger } = setUp();
    const stranger = sourceRecord({}, { queueArn: 'arn:aws:sqs:eu-west-1:123456789012:somebody-elses' });
    const { failedRecordIds, counts } = await forwardBatch([sourceRecord(), stranger], DEADLINE);
    expect(failedRecordIds).toEqual([stranger.recordId]);
    expect(counts).toMatchObject([{ replicated: 1 }, { taskId: 'UNKNOWN', returned: { NOT_REACHED: 1 } }]);
    expect(logger.lines.map(({ level }) => level)).toEqual(['error', 'warn', 'info']);
  });
});

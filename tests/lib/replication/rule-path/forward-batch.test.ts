import { describe, expect, it } from '@jest/globals';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import type { MemoryMessageProducer } from '../../../../lib/adapters/memory/message-producer.ts';
import type { EmfDocument } from '../../../../lib/domain/emf.ts';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors.ts';
import type { RocketmqMessage } from '../../../../lib/domain/message.ts';
import type { Task } from '../../../../lib/domain/task.ts';
import type { MessageProducer } from '../../../../lib/ports/message-producer.ts';
import { deadLetterIdOf } from '../../../../lib/replication/dead-letters/dead-letter-id.ts';
import { createBatchFigures } from '../../../../lib/replication/figures/batch-figures.ts';
import { createMetricsReport } from '../../../../lib/replication/figures/count-report.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { emfFaults } from '../../../helpers/emf-schema.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  NOW_MS,
  QUEUE_ARN,
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

  describe('without its task', () => {
    it('keeps the records of a task that does not exist', async () => {
      const { forwardBatch, visibility } = setUp(ruleTask({}, { taskId: '01JD4YQ3V8F0G2H4J6K8M0N2P5' }));
      const record = sourceRecord();
      const { failedRecordIds, counts } = await forwardBatch([record], DEADLINE);
      expect(failedRecordIds).toEqual([record.recordId]);
      expect(counts[0]?.returned).toEqual({ TASK_NOT_FOUND: 1 });
      expect(visibility.changes).toHaveLength(1);
    });

    it('keeps the records while the table does not answer', async () => {
      const tasks = {
        get: async () => {
          throw new TypeError('socket');
        },
        reportHealth: async () => true,
        appendEvent: async () => undefined,
      };
      const { forwardBatch } = setUp(ruleTask(), { tasks });
      const { counts } = await forwardBatch([sourceRecord()], DEADLINE);
      expect(counts[0]?.returned).toEqual({ TABLE_UNAVAILABLE: 1 });
    });

    it('keeps the records and tells it when the target is not registered', async () => {
      const { forwardBatch, table } = setUp(ruleTask(), { clusters: { get: async () => undefined } });
      const { counts } = await forwardBatch([sourceRecord()], DEADLINE);
      expect(counts[0]?.returned).toEqual({ CLUSTER_NOT_FOUND: 1 });
      expect(table.reports).toEqual([
        {
          status: 'degraded',
          reason: expect.objectContaining({ code: 'CLUSTER_NOT_FOUND', about: 'target' }),
        },
      ]);
    });
  });

  describe('while the target is away', () => {
    it('tries again until 10 s before the deadline, then gives back with 1 to 5 s', async () => {
      const { forwardBatch, producer, visibility, clock, deadLetters } = setUp();
      producer.decide(() => new BrokerUnavailableError('away'));
      const record = sourceRecord();
      const { failedRecordIds, counts } = await forwardBatch([record], DEADLINE);
      expect(failedRecordIds).toEqual([record.recordId]);
      expect(clock.now() - NOW_MS).toBeGreaterThan(15_000);
      expect(clock.now() - NOW_MS).toBeLessThanOrEqual(20_000);
      expect(producer.sends).toBeGreaterThan(5);
      expect(counts[0]).toMatchObject({ retried: producer.sends - 1, returned: { TARGET_UNAVAILABLE: 1 } });
      expect(visibility.changes).toEqual([
        { queueArn: QUEUE_ARN, receiptHandle: record.receiptHandle, visibilityTimeoutSeconds: 3 },
      ]);
      expect(deadLetters.entries).toEqual([]);
    });

    it('waits at least as long as a throttling target asked for', async () => {
      const { forwardBatch, producer, visibility } = setUp();
      producer.decide(() => new BrokerThrottledError('slow down', { waitMs: 9_000 }));
      await forwardBatch([sourceRecord()], DEADLINE);
      expect(producer.sends).toBe(3);
      expect(visibility.changes[0]?.visibilityTimeoutSeconds).toBe(9);
    });

    it('tells it at the first failed call, and takes it back at the first success', async () => {
      const { forwardBatch, producer, table, clock } = setUp();
      const calls: string[] = [];
      const { reportHealth } = table;
      table.reportHealth = async (taskId, health) => {
        calls.push(`${health.status} at ${clock.now() - NOW_MS} ms`);
        return reportHealth(taskId, health);
      };
      producer.decide(() => {
        calls.push('send');
        return calls.filter((call) => call === 'send').length < 3
          ? new BrokerUnavailableError('away', { code: 'TARGET_UNREACHABLE', hint: 'wait' })
          : undefined;
      });
      await forwardBatch([sourceRecord()], DEADLINE);
      expect(calls).toEqual([
        'send',
        'degraded at 0 ms',
        'send',
        'send',
        expect.stringMatching(/^running at/),
      ]);
      expect(table.reports[0]).toEqual({
        status: 'degraded',
        reason: {
          code: 'TARGET_UNREACHABLE',
          message: 'away',
          hint: 'wait',
          at: new Date(NOW_MS).toISOString(),
          about: 'target',
        },
      });
    });

    it('waits for the topics of a cluster that comes back', async () => {
      const { forwardBatch, producer, table } = setUp();
      const answers = [
        new BrokerUnavailableError('away'),
        new BrokerHoldError('no route yet', { code: 'TOPIC_NOT_FOUND', scope: 'topic' }),
      ];
      producer.decide(() => answers.shift());
      const { failedRecordIds } = await forwardBatch([sourceRecord()], DEADLINE);
      expect(failedRecordIds).toEqual([]);
      expect(table.reports.map(({ status }) => status)).toEqual(['degraded', 'running']);
    });

    it('says nothing of a target that took part of what it was sent, and then the rest', async () => {
      const { forwardBatch, producer, table } = setUp();
      let failures = 1;
      producer.decide(({ body }) => {
        if (body.toString() !== 'b' || failures === 0) return undefined;
        failures -= 1;
        return new BrokerUnavailableError('one broker of two');
      });
      const { counts } = await forwardBatch(
        ['a', 'b'].map((payload) => sourceRecord({ payload })),
        DEADLINE,
      );
      expect(counts[0]).toMatchObject({ replicated: 2, retried: 1 });
      expect(table.reports).toEqual([]);
    });

    it('goes on at once with what an attempt had no time for, and does not blame the target', async () => {
      const { forwardBatch, producer, table, clock } = setUp();
      let begun = 0;
      producer.decide(() => {
        begun += 1;
        return begun > 2 && begun <= 4
          ? new BrokerUnavailableError('no time is left', { code: 'DEADLINE_PASSED' })
          : undefined;
      });
      const records = ['a', 'b', 'c', 'd'].map((payload) => sourceRecord({ payload }));
      expect((await forwardBatch(records, DEADLINE)).failedRecordIds).toEqual([]);
      expect(clock.now()).toBe(NOW_MS);
      expect(table.reports).toEqual([]);
    });

    it('writes one report per change, not one per batch', async () => {
      const { forwardBatch, producer, table } = setUp();
      producer.decide(() => new BrokerUnavailableError('away'));
      for (const _ of [1, 2, 3]) await forwardBatch([sourceRecord()], { deadlineMs: NOW_MS + 10_000 });
      producer.decide(() => undefined);
      for (const _ of [1, 2, 3]) await forwardBatch([sourceRecord()], DEADLINE);
      expect(table.reports.map(({ status }) => status)).toEqual(['degraded', 'running']);
    });

    it('gives up on a producer that never answers, and keeps its records', async () => {
      const producer = {
        send: () => new Promise<never>(() => {}),
        check: async () => {},
        close: async () => {},
      };
      const { forwardBatch, table } = setUp(ruleTask(), { producers: { producerFor: async () => producer } });
      const { counts } = await forwardBatch([sourceRecord()], { deadlineMs: NOW_MS + 5_100 });
      expect(counts[0]?.returned).toEqual({ TARGET_TIMEOUT: 1 });
      expect(table.reports).toHaveLength(1);
    });

    it('does not take back what the control plane says of the task', async () => {
      const reason = { code: 'BUFFER_EXPIRING', message: '10 days', at: new Date(NOW_MS).toISOString() };
      const { forwardBatch, table } = setUp(ruleTask({}, { status: 'degraded', reason }));
      await forwardBatch([sourceRecord()], DEADLINE);
      expect(table.reports).toEqual([]);
    });
  });

  describe('what a person has to repair', () => {
    const missing = () => new BrokerHoldError('no topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' });

    it('holds messages for a fixed topic, at once', async () => {
      const { forwardBatch, producer, table, clock, deadLetters } = setUp();
      producer.decide(missing);
      const { counts } = await forwardBatch([sourceRecord(), sourceRecord()], DEADLINE);
      expect(counts[0]?.returned).toEqual({ TOPIC_NOT_FOUND: 2 });
      expect(deadLetters.entries).toEqual([]);
      expect(clock.now()).toBe(NOW_MS);
      expect(table.reports).toMatchObject([{ status: 'degraded', reason: { code: 'TOPIC_NOT_FOUND' } }]);
    });

    describe('with a rendered topic', () => {
      const task = ruleTask({ target: { clusterId: 'business', topic: '${payload.topic}' } });
      const to = (topic: string, changes: Partial<SourceRecord> = {}) =>
        sourceRecord({ payload: JSON.stringify({ topic }) }, changes);

      it('makes a dead letter of a message whose topic is missing while others arrive', async () => {
        const { forwardBatch, producer, table, deadLetters } = setUp(task);
        const { failedRecordIds } = await forwardBatch([to('nowhere'), to('other')], DEADLINE);
        expect(failedRecordIds).toEqual([]);
        expect(producer.stored('other')).toHaveLength(1);
        expect(deadLetters.entries).toMatchObject([{ code: 'TOPIC_NOT_FOUND' }]);
        expect(table.reports).toEqual([]);
      });

      it('holds it while nothing proves that the cluster has its brokers', async () => {
        const { forwardBatch, table, deadLetters } = setUp(task);
        const { counts } = await forwardBatch([to('nowhere')], DEADLINE);
        expect(counts[0]?.returned).toEqual({ TOPIC_NOT_FOUND: 1 });
        expect(deadLetters.entries).toEqual([]);
        expect(table.reports).toMatchObject([{ status: 'degraded', reason: { code: 'TOPIC_NOT_FOUND' } }]);
      });

      it('makes the dead letter when something has arrived since it was first received', async () => {
        const { forwardBatch, deadLetters, clock } = setUp(task);
        const lost = to('nowhere', { firstReceiveTimeMs: NOW_MS + 10 });
        await forwardBatch([to('other')], DEADLINE);
        clock.step(1_000);
        expect((await forwardBatch([lost], DEADLINE)).failedRecordIds).toEqual([lost.recordId]);
        await forwardBatch([to('other')], DEADLINE);
        clock.step(1_000);
        expect((await forwardBatch([lost], DEADLINE)).failedRecordIds).toEqual([]);
        expect(deadLetters.entries).toMatchObject([{ recordId: lost.recordId, code: 'TOPIC_NOT_FOUND' }]);
      });

      it('makes no dead letter of a cluster that has lost all its topics', async () => {
        const { forwardBatch, producer, deadLetters } = setUp(task);
        await forwardBatch([to('other')], DEADLINE);
        producer.decide(missing);
        const records = ['other', 'charger_status', 'nowhere'].map((topic) =>
          to(topic, { firstReceiveTimeMs: NOW_MS + 10 }),
        );
        expect((await forwardBatch(records, DEADLINE)).failedRecordIds).toHaveLength(3);
        expect(deadLetters.entries).toEqual([]);
      });
    });

    it.each(['charger_status', '${payload.topic}'])(
      'holds everything when the cluster refuses us (topic %s)',
      async (topic) => {
        const { forwardBatch, producer, deadLetters } = setUp(
          ruleTask({ target: { clusterId: 'business', topic } }),
        );
        producer.decide(() => new BrokerHoldError('who?', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' }));
        const { counts } = await forwardBatch([sourceRecord({ payload: '{"topic":"other"}' })], DEADLINE);
        expect(counts[0]?.returned).toEqual({ CREDENTIALS_REFUSED: 1 });
        expect(deadLetters.entries).toEqual([]);
      },
    );
  });

  describe('with several topics', () => {
    it('lets no topic wait for another', async () => {
      const task = ruleTask({ target: { clusterId: 'business', topic: '${payload.topic}' } });
      const { forwardBatch, producer } = setUp(task);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      producer.decide(({ rocketmqTopic }) => (rocketmqTopic === 'charger_status' ? promise : undefined));
      const batch = forwardBatch(
        ['charger_status', 'other'].map((topic) => sourceRecord({ payload: JSON.stringify({ topic }) })),
        DEADLINE,
      );
      while (producer.stored('other').length === 0) await new Promise(setImmediate);
      expect(producer.stored('charger_status')).toHaveLength(0);
      resolve(undefined);
      expect((await batch).failedRecordIds).toEqual([]);
    });

    it('calls the task running again only when no topic is failing', async () => {
      const task = ruleTask({ target: { clusterId: 'business', topic: '${payload.topic}' } });
      const { forwardBatch, producer, table } = setUp(task);
      producer.decide(({ rocketmqTopic }) =>
        rocketmqTopic === 'other' ? new BrokerUnavailableError('half the cluster') : undefined,
      );
      const records = ['charger_status', 'other'].map((topic) =>
        sourceRecord({ payload: JSON.stringify({ topic }) }),
      );
      const { counts } = await forwardBatch(records, DEADLINE);
      expect(counts[0]).toMatchObject({ replicated: 1, returned: { TARGET_UNAVAILABLE: 1 } });
      expect(table.reports.map(({ status }) => status)).toEqual(['degraded']);
    });
  });

  describe('on a FIFO topic', () => {
    const task = ruleTask({ target: { clusterId: 'business', topic: 'fifo', messageGroup: '${topic[2]}' } });
    const record = (payload: string, group = 'g') => sourceRecord({ payload, t: `stations/${group}/status` });

    it('keeps the order of a group over a failed attempt', async () => {
      const { forwardBatch, producer } = setUp(task);
      let failures = 1;
      producer.decide(({ body }) => {
        if (body.toString() !== '2' || failures === 0) return undefined;
        failures -= 1;
        return new BrokerUnavailableError('blip');
      });
      const { failedRecordIds } = await forwardBatch(
        ['1', '2', '3', '4'].map((text) => record(text)),
        DEADLINE,
      );
      expect(failedRecordIds).toEqual([]);
      expect(bodies(producer, 'fifo')).toEqual(['1', '2', '3', '4']);
    });

    it('sends first what came first, in whatever order the queue hands it over', async () => {
      const { forwardBatch, producer } = setUp(task);
      const came = (payload: string, agoMs: number) =>
        sourceRecord({ payload, t: 'stations/g/status', ts: NOW_MS - agoMs });
      await forwardBatch([came('3', 10), came('1', 30), came('4', 10), came('2', 20)], DEADLINE);
      expect(bodies(producer, 'fifo')).toEqual(['1', '2', '3', '4']);
    });

    it('goes on with a group at once when a message of it became a dead letter', async () => {
      const { forwardBatch, producer, deadLetters, clock } = setUp(task);
      producer.decide(({ body }) =>
        body.toString().startsWith('bad') ? new InvalidMessageError('bad') : undefined,
      );
      const texts = ['1', 'bad', '2', 'bad too', '3'];
      await forwardBatch(
        texts.map((text) => record(text)),
        DEADLINE,
      );
      expect(bodies(producer, 'fifo')).toEqual(['1', '2', '3']);
      expect(deadLetters.entries).toHaveLength(2);
      expect(clock.now()).toBe(NOW_MS);
    });

    it('holds the rest of a group with the message that is held, in one attempt', async () => {
      const { forwardBatch, producer } = setUp(task);
      producer.decide(() => new BrokerHoldError('no', { code: 'ACCESS_DENIED', scope: 'topic' }));
      const { counts } = await forwardBatch(
        ['1', '2', '3'].map((text) => record(text)),
        DEADLINE,
      );
      expect(counts[0]?.returned).toEqual({ ACCESS_DENIED: 3 });
      expect(producer.sends).toBe(1);
    });
  });

  describe('records seen 10 times', () => {
    const suspect = (payload: string) => sourceRecord({ payload }, { receiveCount: 10 });

    it('are sent alone, after the others', async () => {
      const { forwardBatch, producer } = setUp();
      await forwardBatch([suspect('s1'), sourceRecord({ payload: 'a' }), suspect('s2')], DEADLINE);
      expect(bodies(producer)).toEqual(['a', 's1', 's2']);
      expect(producer.sends).toBe(3);
    });

    it('fail by themselves, without a word about the target', async () => {
      const { forwardBatch, producer, table } = setUp();
      producer.decide(({ body }) =>
        body.toString() === 's1' ? new BrokerUnavailableError('chokes on it') : undefined,
      );
      const poison = suspect('s1');
      const { failedRecordIds } = await forwardBatch(
        [poison, sourceRecord({ payload: 'a' }), suspect('s2')],
        DEADLINE,
      );
      expect(failedRecordIds).toEqual([poison.recordId]);
      expect(bodies(producer)).toEqual(['a', 's2']);
      expect(producer.sends).toBe(3);
      expect(table.reports).toEqual([]);
    });

    it('go with all others while the target is known to be away', async () => {
      const reason = { code: 'TARGET_UNAVAILABLE', message: 'away', at: '', about: 'target' as const };
      const { forwardBatch, producer, table } = setUp(ruleTask({}, { status: 'degraded', reason }));
      await forwardBatch([suspect('s1'), sourceRecord({ payload: 'a' }), suspect('s2')], DEADLINE);
      expect(producer.sends).toBe(1);
      expect(table.reports).toEqual([{ status: 'running' }]);
    });
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

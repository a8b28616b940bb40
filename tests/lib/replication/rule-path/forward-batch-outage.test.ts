import { describe, expect, it } from '@jest/globals';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import { NOW_MS, QUEUE_ARN, ruleTask, sourceRecord } from '../../../helpers/rule-path.ts';

const DEADLINE = { deadlineMs: NOW_MS + 30_000 };

const TOPICS = { charger_status: 'NORMAL', other: 'NORMAL', fifo: 'FIFO' } as const;

function setUp(task: Task | undefined = ruleTask(), changes: Partial<ForwardBatchPorts> = {}) {
  return createForwardWorld(task, TOPICS, changes);
}

describe('createForwardBatch', () => {
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
});

import { describe, expect, it } from '@jest/globals';
import type { MemoryMessageProducer } from '../../../../lib/adapters/memory/message-producer.ts';
import {
  BrokerHoldError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors/errors.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import { NOW_MS, ruleTask, sourceRecord } from '../../../helpers/rule-path.ts';

const DEADLINE = { deadlineMs: NOW_MS + 30_000 };

const TOPICS = { charger_status: 'NORMAL', other: 'NORMAL', fifo: 'FIFO' } as const;

function setUp(task: Task | undefined = ruleTask(), changes: Partial<ForwardBatchPorts> = {}) {
  return createForwardWorld(task, TOPICS, changes);
}

const bodies = (producer: MemoryMessageProducer, topic = 'charger_status') =>
  producer.stored(topic).map(({ body }) => body.toString());

describe('createForwardBatch', () => {
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
});

import { describe, expect, it } from '@jest/globals';
import { createMemoryDeadLetterQueue } from '../../../../lib/adapters/memory/dead-letter-queue.ts';
import { BrokerUnavailableError, InvalidMessageError } from '../../../../lib/domain/errors/errors.ts';
import { encodeLargeEnvelope, encodeSessionEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import { NOW_MS, sourceRecord, TASK_ID } from '../../../helpers/rule-path.ts';
import { orderedTask, sessionTask } from '../../../helpers/session-lane.ts';

const DEADLINE = { deadlineMs: NOW_MS + 30_000 };

function setUp(task = orderedTask(), changes: Partial<ForwardBatchPorts> = {}) {
  const topics = { charger_status: 'NORMAL', fifo: 'FIFO', other: 'FIFO' } as const;
  const world = createForwardWorld(task, topics, changes);
  const { clock, producer, deadLetters, groups, largeBodies, visibility, forwardBatch } = world;
  const queueArn = task.resources.queue?.arn ?? '';
  const envelope = (payload: string, topicName: string) =>
    encodeSessionEnvelope({
      taskId: TASK_ID,
      version: 3,
      messageId: `id-${payload}`,
      receiptTimeMs: NOW_MS - 1_000,
      topicName,
      payload: Buffer.from(payload),
      userProperties: [],
    });
  /** As the lane has put it: `a.1` belongs to group `stations/a`. */
  const record = (payload: string, more: Partial<SourceRecord> = {}) => {
    const groupKey = `stations/${payload.split('.')[0]}`;
    return sourceRecord(envelope(payload, groupKey), {
      recordId: payload,
      queueArn,
      groupKey,
      putId: `put-${payload}`,
      ...more,
    });
  };
  const announce = (payload: string) =>
    groups.announce(
      TASK_ID,
      [{ groupKey: `stations/${payload.split('.')[0]}`, putId: `put-${payload}` }],
      NOW_MS,
    );
  const bodies = (topic = 'fifo') => producer.stored(topic).map(({ body }) => body.toString());
  return {
    clock,
    producer,
    deadLetters,
    groups,
    largeBodies,
    visibility,
    forwardBatch,
    envelope,
    record,
    announce,
    bodies,
  };
}

describe('createForwardBatch with a FIFO queue', () => {
  it('carries each group in its order, and tells that it is drained before it acknowledges', async () => {
    const { forwardBatch, record, announce, groups, bodies } = setUp();
    await announce('a.2');
    await announce('b.9');
    const records = ['a.0', 'b.0', 'a.1', 'a.2'].map((payload) => record(payload));
    const { failedRecordIds, counts } = await forwardBatch(records, DEADLINE);
    expect(failedRecordIds).toEqual([]);
    expect(bodies().filter((body) => body.startsWith('a'))).toEqual(['a.0', 'a.1', 'a.2']);
    expect(await groups.list(TASK_ID)).toEqual([
      { groupKey: 'stations/a', lastPutId: 'put-a.2', drainedPutId: 'put-a.2' },
      { groupKey: 'stations/b', lastPutId: 'put-b.9', drainedPutId: 'put-b.0' },
    ]);
    // The session's lane has counted them as consumed.
    expect(counts[0]).toMatchObject({ replicated: 4, consumed: 0 });
  });

  it('gives back a failed record and everything behind it, for the same time, and nothing of other groups', async () => {
    const { forwardBatch, producer, record, announce, groups, visibility, bodies } = setUp();
    await announce('a.2');
    producer.decide(({ body }) =>
      body.toString() === 'a.1' ? new BrokerUnavailableError('away') : undefined,
    );
    const records = ['a.0', 'a.1', 'b.0', 'a.2'].map((payload, index) =>
      record(payload, { firstReceiveTimeMs: NOW_MS - index * 1_000_000 }),
    );
    const { failedRecordIds } = await forwardBatch(records, DEADLINE);
    expect(failedRecordIds.toSorted()).toEqual(['a.1', 'a.2']);
    expect(bodies().toSorted()).toEqual(['a.0', 'b.0']);
    expect(new Set(visibility.changes.map((change) => change.visibilityTimeoutSeconds)).size).toBe(1);
    expect(await groups.read(TASK_ID, ['stations/a'])).toEqual([
      { groupKey: 'stations/a', lastPutId: 'put-a.2' },
    ]);
  });

  it('goes on behind a dead letter that was handed over', async () => {
    const { forwardBatch, producer, record, announce, groups, bodies, deadLetters } = setUp();
    await announce('a.2');
    producer.decide(({ body }) => (body.toString() === 'a.1' ? new InvalidMessageError('bad') : undefined));
    const records = ['a.0', 'a.1', 'a.2'].map((payload) => record(payload));
    expect((await forwardBatch(records, DEADLINE)).failedRecordIds).toEqual([]);
    expect(bodies()).toEqual(['a.0', 'a.2']);
    expect(deadLetters.entries).toHaveLength(1);
    expect(await groups.read(TASK_ID, ['stations/a'])).toMatchObject([{ drainedPutId: 'put-a.2' }]);
  });

  it('lets everything behind a dead letter that was not handed over come again', async () => {
    const deadLetters = createMemoryDeadLetterQueue(() => false);
    const { forwardBatch, record, announce, groups } = setUp(orderedTask(), { deadLetters });
    await announce('a.2');
    const records = [record('a.0'), record('a.1', { body: 'odd' }), record('a.2')];
    const { failedRecordIds, counts } = await forwardBatch(records, DEADLINE);
    expect(failedRecordIds.toSorted()).toEqual(['a.1', 'a.2']);
    expect(counts[0]).toMatchObject({ replicated: 1, returned: { GROUP_STOPPED: 1, HAND_OVER_FAILED: 1 } });
    expect(await groups.read(TASK_ID, ['stations/a'])).toEqual([
      { groupKey: 'stations/a', lastPutId: 'put-a.2' },
    ]);
  });

  it('lets the last record come again when nobody could be told', async () => {
    const overflowGroups = {
      settled: async () => {
        throw new Error('away');
      },
    };
    const { forwardBatch, record } = setUp(orderedTask(), { overflowGroups });
    const { failedRecordIds, counts } = await forwardBatch([record('a.0'), record('a.1')], DEADLINE);
    expect(failedRecordIds).toEqual(['a.1']);
    expect(counts[0]).toMatchObject({ replicated: 1, returned: { MARK_NOT_WRITTEN: 1 } });
  });

  it('keeps the order over several topics of one group', async () => {
    const task = sessionTask({
      target: { clusterId: 'business', topic: '${payload.t}', messageGroup: 'all' },
      options: { ordering: 'topic' },
    });
    const { forwardBatch, record, producer, bodies } = setUp(task);
    producer.decide(({ body }) =>
      body.toString().includes('"n":2') ? new BrokerUnavailableError('away') : undefined,
    );
    const payload = (n: number, t: string) => JSON.stringify({ n, t });
    const records = [payload(1, 'fifo'), payload(2, 'other'), payload(3, 'fifo')].map((text) =>
      record(text, { groupKey: 'all', recordId: text }),
    );
    const { failedRecordIds } = await forwardBatch(records, DEADLINE);
    expect(failedRecordIds).toEqual([payload(2, 'other'), payload(3, 'fifo')]);
    expect(bodies('fifo')).toEqual([payload(1, 'fifo')]);
  });

  it('works on what a session has put into a standard queue, too', async () => {
    const task = sessionTask();
    const { forwardBatch, envelope, bodies } = setUp(task);
    const queueArn = task.resources.queue?.arn ?? '';
    const records = ['x', 'y'].map((payload) => sourceRecord(envelope(payload, 'stations/1'), { queueArn }));
    expect((await forwardBatch(records, DEADLINE)).failedRecordIds).toEqual([]);
    expect(bodies('charger_status')).toEqual(['x', 'y']);
  });

  it('leaves out and counts what has expired in the queue', async () => {
    const task = sessionTask({ options: { maxAgeSeconds: 1 } });
    const { forwardBatch, envelope, bodies } = setUp(task);
    const record = sourceRecord(envelope('x', 'stations/1'), { queueArn: task.resources.queue?.arn ?? '' });
    const { failedRecordIds, counts } = await forwardBatch([record], DEADLINE);
    expect(failedRecordIds).toEqual([]);
    expect(bodies('charger_status')).toEqual([]);
    expect(counts[0]).toMatchObject({ expired: 1 });
  });

  describe('with a message that lies elsewhere', () => {
    const body = encodeLargeEnvelope({ taskId: TASK_ID, version: 3, key: 'overflow/key' });

    it('carries it', async () => {
      const { forwardBatch, largeBodies, envelope, record, bodies } = setUp();
      await largeBodies.put('overflow/key', envelope('large', 'stations/a'));
      expect((await forwardBatch([record('a.0', { body })], DEADLINE)).failedRecordIds).toEqual([]);
      expect(bodies()).toEqual(['large']);
    });

    it('makes a dead letter of it when it is gone', async () => {
      const { forwardBatch, record, deadLetters } = setUp();
      expect((await forwardBatch([record('a.0', { body })], DEADLINE)).failedRecordIds).toEqual([]);
      expect(deadLetters.entries).toMatchObject([{ code: 'LARGE_BODY_MISSING', envelope: body }]);
    });

    it('lets it come again when the bucket does not answer', async () => {
      const largeBodies = {
        get: async () => {
          throw new Error('away');
        },
      };
      const { forwardBatch, record, deadLetters } = setUp(orderedTask(), { largeBodies });
      const { failedRecordIds, counts } = await forwardBatch(
        [record('a.0', { body }), record('a.1')],
        DEADLINE,
      );
      expect(failedRecordIds).toEqual(['a.0', 'a.1']);
      expect(counts[0]?.returned).toEqual({ LARGE_BODY_UNAVAILABLE: 1, GROUP_STOPPED: 1 });
      expect(deadLetters.entries).toEqual([]);
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { bucketOf } from '../../../../lib/domain/figures/latency-histogram.ts';
import { createBatchLedger } from '../../../../lib/replication/rule-path/batch-ledger.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { sourceRecord, TASK_ID } from '../../../helpers/rule-path.ts';

const [first, second, third] = [
  sourceRecord(),
  sourceRecord({}, { receiveCount: 2 }),
  sourceRecord({}, { receiveCount: 1 }),
] as const;

describe('createBatchLedger', () => {
  it('gives back every record that nobody settled', () => {
    const ledger = createBatchLedger(TASK_ID, [first, second, third]);
    ledger.stored(first, 7);
    ledger.note(second, 'TARGET_TIMEOUT', 500);
    expect(ledger.close()).toEqual([
      { record: second, code: 'TARGET_TIMEOUT', waitMs: 500 },
      { record: third, code: 'NOT_REACHED', waitMs: 0 },
    ]);
    expect(ledger.counts).toMatchObject({
      records: 3,
      consumed: 2,
      retried: 1,
      replicated: 1,
      bytes: 7,
      returned: { TARGET_TIMEOUT: 1, NOT_REACHED: 1 },
    });
  });

  it('settles a record once: what comes later changes nothing', () => {
    const ledger = createBatchLedger(TASK_ID, [first]);
    ledger.handedOver(first, 'BAD');
    ledger.stored(first, 7);
    ledger.skipped(first, 'filtered');
    ledger.note(first, 'LATE');
    expect(ledger.isSettled(first)).toBe(true);
    expect(ledger.close()).toEqual([]);
    expect(ledger.counts).toMatchObject({ replicated: 0, filtered: 0, failed: { BAD: 1 }, returned: {} });
  });

  it('knows only its own records, and none once it is closed', () => {
    const ledger = createBatchLedger(TASK_ID, [first]);
    ledger.stored(second, 7);
    ledger.close();
    ledger.stored(first, 7);
    expect(ledger.counts.replicated).toBe(0);
  });

  it('does not count overlap copies as consumed', () => {
    const ledger = createBatchLedger(TASK_ID, [first, second, third]);
    ledger.skipped(first, 'overlap');
    ledger.skipped(second, 'overlap');
    ledger.skipped(third, 'loopSkipped');
    // The first receipt of the second was counted by the batch that gave it back.
    expect(ledger.counts).toMatchObject({ consumed: 1, takenBack: 1, overlap: 2, loopSkipped: 1 });
  });

  it('counts what a session has put into the queue as met before', () => {
    const record = { ...first, body: '{"v":2,"task":"t","r":1}' };
    const ledger = createBatchLedger(TASK_ID, [record, first]);
    ledger.stored(record, 7);
    expect(ledger.counts).toMatchObject({ consumed: 1, replicated: 1 });
    expect(Object.values(ledger.times.sourceMinutes)).toEqual([1]);
  });

  it('tells where stored messages spent their time, until one is reopened', () => {
    const record = sourceRecord({}, { sentTimeMs: 100_000 });
    const ledger = createBatchLedger(TASK_ID, [record]);
    ledger.stored(record, 7, {
      sourceTimeMs: 99_000,
      receivedAtMs: 100_500,
      sentAtMs: 100_510,
      acceptedAtMs: 100_600,
    });
    const { sync, queue } = ledger.times.latencies;
    expect(sync).toEqual({ [bucketOf(1_600)]: 1 });
    expect(Object.keys(queue)).toHaveLength(1);
    ledger.reopen(record, 'GROUP_STOPPED');
    expect(ledger.times.latencies.sync).toEqual({});
  });

  it('takes back what was settled, with all that was counted for it', () => {
    const records = ['a', 'b', 'c', 'd'].map((payload) => sourceRecord({ payload }));
    const [a, b, c, d] = records as [SourceRecord, SourceRecord, SourceRecord, SourceRecord];
    const ledger = createBatchLedger('task', records);
    ledger.stored(a, 10);
    ledger.handedOver(b, 'UNMAPPABLE');
    ledger.skipped(c, 'overlap');
    for (const record of records) ledger.reopen(record, 'GROUP_STOPPED');
    ledger.note(d, 'AWAY');
    expect(ledger.counts).toMatchObject({ consumed: 4, replicated: 0, bytes: 0, failed: {}, overlap: 0 });
    expect(ledger.close().map(({ record, code }) => [record, code])).toEqual([
      [d, 'AWAY'],
      [a, 'GROUP_STOPPED'],
      [b, 'GROUP_STOPPED'],
      [c, 'GROUP_STOPPED'],
    ]);
    expect(ledger.counts.returned).toEqual({ AWAY: 1, GROUP_STOPPED: 3 });
  });
});

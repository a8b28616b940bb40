import { describe, expect, it } from '@jest/globals';
import { createMemoryDeadLetterQueue } from '../../../../lib/adapters/memory/dead-letter-queue.ts';
import { UnmappableMessageError } from '../../../../lib/domain/errors/errors.ts';
import type { DeadLetterQueue } from '../../../../lib/ports/dead-letter-hand-over.ts';
import { createBatchLedger } from '../../../../lib/replication/rule-path/batch-ledger.ts';
import { createHandOver } from '../../../../lib/replication/rule-path/hand-over.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  NOW_MS,
  sourceRecord,
  TASK_ID,
} from '../../../helpers/rule-path.ts';

const error = new UnmappableMessageError('no value', { code: 'TEMPLATE_VALUE_MISSING' });

function setUp(deadLetters: DeadLetterQueue, deadlineMs = NOW_MS + 30_000) {
  const records = [sourceRecord(), sourceRecord(), sourceRecord()];
  const ledger = createBatchLedger(TASK_ID, records);
  const handOver = createHandOver({
    deadLetters,
    ledger,
    task: { taskId: TASK_ID, version: 3 },
    deadlineMs,
    clock: createSteppingClock(),
    logger: createRecordingLogger(),
  });
  return { ledger, handOver, unhelpables: records.map((record) => ({ record, error })) };
}

describe('createHandOver', () => {
  it('settles the records whose entries were accepted, and no others', async () => {
    let entries = 0;
    const queue = createMemoryDeadLetterQueue(() => {
      entries += 1;
      return entries !== 2;
    });
    const { ledger, handOver, unhelpables } = setUp(queue);
    handOver.begin(unhelpables);
    await handOver.done();
    expect(unhelpables.map(({ record }) => ledger.isSettled(record))).toEqual([true, false, true]);
    expect(ledger.close()).toMatchObject([{ code: 'HAND_OVER_FAILED' }]);
    expect(ledger.counts.failed).toEqual({ TEMPLATE_VALUE_MISSING: 2 });
  });

  it('begins at once, and sends each round by itself', async () => {
    const sizes: number[] = [];
    const { handOver, unhelpables } = setUp({
      send: async (entries) => {
        sizes.push(entries.length);
        return entries.map(() => true);
      },
    });
    handOver.begin(unhelpables.slice(0, 2));
    handOver.begin([]);
    handOver.begin(unhelpables.slice(2));
    expect(sizes).toEqual([2, 1]);
    await handOver.done();
  });

  it('does not wait for an answer beyond the time of the batch', async () => {
    const { ledger, handOver, unhelpables } = setUp({ send: () => new Promise(() => {}) }, NOW_MS + 3_010);
    handOver.begin(unhelpables);
    await handOver.done();
    expect(ledger.close()).toHaveLength(3);
  });
});

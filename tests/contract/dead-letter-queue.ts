import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetterHandOver, DeadLetterQueue } from '../../lib/ports/dead-letter-hand-over.ts';

export interface DeadLetterQueueUnderTest {
  queue: DeadLetterQueue;
  /** Everything that arrived, in any order; waits until so many have. */
  received(count: number): Promise<DeadLetterHandOver[]>;
}

const entry = (index: number, envelope = `envelope ${index}`): DeadLetterHandOver => ({
  taskId: 'task',
  version: 3,
  code: 'UNMAPPABLE',
  reason: 'a value is missing',
  recordId: `record-${index}`,
  envelope,
  attempts: 2,
  firstSeenAtMs: 1_700_000_000_000,
  failedAtMs: 1_700_000_000_500,
});
const byRecordId = (a: DeadLetterHandOver, b: DeadLetterHandOver) => (a.recordId < b.recordId ? -1 : 1);

/** What every hand-over queue promises. */
export function describeDeadLetterQueue(name: string, build: () => Promise<DeadLetterQueueUnderTest>): void {
  describe(`DeadLetterQueue, ${name}`, () => {
    let tested: DeadLetterQueueUnderTest;
    beforeEach(async () => {
      tested = await build();
    });

    async function expectSent(entries: readonly DeadLetterHandOver[]): Promise<void> {
      expect(await tested.queue.send(entries)).toEqual(entries.map(() => true));
      const received = await tested.received(entries.length);
      expect(received.toSorted(byRecordId)).toEqual(entries.toSorted(byRecordId));
    }

    it('takes nothing', async () => {
      expect(await tested.queue.send([])).toEqual([]);
    });

    it('takes one entry, whole', () => expectSent([entry(0)]));

    it('keeps every character', () =>
      expectSent([
        entry(0, 'tab\t nl\n nul\u0000 del\u007f c1\u0085 \u{1f50c} fffe\ufffe ffff\uffff \\u0000 "'),
      ]));

    it('takes more entries than one request holds', () =>
      expectSent(Array.from({ length: 33 }, (_, index) => entry(index))));

    it('takes entries that are together larger than one request may be', () =>
      expectSent(Array.from({ length: 12 }, (_, index) => entry(index, `${index}`.repeat(150_000)))));
  });
}

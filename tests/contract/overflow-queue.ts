import { beforeEach, describe, expect, it } from '@jest/globals';
import { monotonicFactory } from 'ulid';
import type { OverflowQueue, OverflowRecord } from '../../lib/ports/overflow-queue.ts';

export interface OverflowQueueUnderTest {
  queue: OverflowQueue;
  /** A queue of each kind. */
  standardUrl: string;
  fifoUrl: string;
  /** A queue that is not there; absent: the adapter knows no such thing. */
  missingUrl?: string;
  /** What arrived; of a FIFO queue in the order in which the queue gives it out. Waits until so many have. */
  received(queueUrl: string, count: number): Promise<OverflowRecord[]>;
}

/** What every overflow queue promises. */
export function describeOverflowQueue(name: string, build: () => Promise<OverflowQueueUnderTest>): void {
  describe(`OverflowQueue, ${name}`, () => {
    const nextId = monotonicFactory();
    let tested: OverflowQueueUnderTest;
    beforeEach(async () => {
      tested = await build();
    });
    const record = (body: string, groupKey?: string): OverflowRecord => ({
      putId: nextId(),
      body,
      ...(groupKey === undefined ? {} : { groupKey }),
    });
    const bodies = (records: readonly OverflowRecord[]) => records.map(({ body }) => body);

    it('takes nothing', async () => {
      expect(await tested.queue.put(tested.standardUrl, [])).toEqual([]);
    });

    it('takes more records than one request holds, and answers for each', async () => {
      const records = Array.from({ length: 33 }, (_, index) => record(`body ${index}`));
      expect(await tested.queue.put(tested.standardUrl, records)).toEqual(records.map(() => true));
      const received = await tested.received(tested.standardUrl, 33);
      expect(bodies(received).toSorted()).toEqual(bodies(records).toSorted());
    });

    it('takes records that are together larger than one request may be', async () => {
      const records = Array.from({ length: 12 }, (_, index) => record(`${index % 10}`.repeat(200_000)));
      expect(await tested.queue.put(tested.standardUrl, records)).toEqual(records.map(() => true));
      expect(await tested.received(tested.standardUrl, 12)).toHaveLength(12);
    });

    it('keeps the order of each group, and its put ids', async () => {
      const records = Array.from({ length: 60 }, (_, index) => record(`body ${index}`, `group-${index % 3}`));
      expect(await tested.queue.put(tested.fifoUrl, records)).toEqual(records.map(() => true));
      const received = await tested.received(tested.fifoUrl, 60);
      for (const groupKey of ['group-0', 'group-1', 'group-2']) {
        const ofGroup = (one: OverflowRecord) => one.groupKey === groupKey;
        expect(received.filter(ofGroup)).toEqual(records.filter(ofGroup));
      }
    });

    it('keeps one copy of what is put again into a FIFO queue', async () => {
      const [a, b] = [record('a', 'group'), record('b', 'group')];
      expect(await tested.queue.put(tested.fifoUrl, [a])).toEqual([true]);
      expect(await tested.queue.put(tested.fifoUrl, [a, b])).toEqual([true, true]);
      expect(bodies(await tested.received(tested.fifoUrl, 2))).toEqual(['a', 'b']);
    });

    it('answers false where there is no queue', async () => {
      if (tested.missingUrl === undefined) return;
      expect(await tested.queue.put(tested.missingUrl, [record('a'), record('b')])).toEqual([false, false]);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Attempt,
  MAX_BATCH_MESSAGES,
  MAX_REQUEST_BYTES,
  sendHalving,
  splitIntoBatches,
} from '../../../../lib/adapters/rocketmq/batching.ts';

describe('splitIntoBatches', () => {
  it('keeps every item, the order and both bounds', () => {
    const sizes = fc.array(fc.oneof(fc.nat(2_000), fc.nat(MAX_REQUEST_BYTES * 2)), { maxLength: 700 });
    fc.assert(
      fc.property(sizes, (items) => {
        const batches = splitIntoBatches(items, (bytes) => bytes);
        expect(batches.flat()).toEqual(items);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(MAX_BATCH_MESSAGES);
          const bytes = batch.reduce((sum, one) => sum + one, 0);
          if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
        }
      }),
    );
  });

  it('makes batches of about the same number', () => {
    const batches = splitIntoBatches(Array.from({ length: 500 }), () => 1);
    expect(batches.map(({ length }) => length)).toEqual([125, 125, 125, 125]);
  });
});

describe('sendHalving', () => {
  /** A cluster that refuses a batch with a bad item in it, and a bad item. */
  function refusing(bad: ReadonlySet<number>) {
    const accepted: number[] = [];
    const refused: number[] = [];
    let requests = 0;
    const attempt = async (batch: readonly number[]): Promise<Attempt> => {
      requests += 1;
      if (!batch.some((item) => bad.has(item))) {
        accepted.push(...batch);
        return 'accepted';
      }
      if (batch.length === 1) refused.push(...batch);
      return 'refused';
    };
    return { attempt, accepted, refused, requests: () => requests };
  }

  it('leaves only the bad ones refused, in at most 2n - 1 requests', async () => {
    const cases = fc
      .integer({ min: 1, max: 128 })
      .chain((length) => fc.record({ length: fc.constant(length), bad: fc.uniqueArray(fc.nat(length - 1)) }));
    await fc.assert(
      fc.asyncProperty(cases, async ({ length, bad }) => {
        const cluster = refusing(new Set(bad));
        const items = Array.from({ length }, (_, index) => index);
        await sendHalving(items, cluster.attempt);
        expect(cluster.refused).toEqual([...bad].sort((a, b) => a - b));
        expect(cluster.accepted).toEqual(items.filter((item) => !bad.includes(item)));
        expect(cluster.requests()).toBeLessThanOrEqual(2 * length - 1);
      }),
    );
  });

  it('costs 15 requests for one bad message of 128', async () => {
    const cluster = refusing(new Set([77]));
    await sendHalving(
      Array.from({ length: 128 }, (_, index) => index),
      cluster.attempt,
    );
    expect(cluster.requests()).toBe(15);
  });

  it('does not send again what failed for another reason', async () => {
    const batches: number[] = [];
    const noBatches = await sendHalving([1, 2, 3, 4], async (batch) => {
      batches.push(batch.length);
      return 'failed';
    });
    expect(batches).toEqual([4]);
    expect(noBatches).toBe(false);
  });

  it('goes straight to single messages when the cluster says that it takes no batches', async () => {
    const batches: number[] = [];
    const noBatches = await sendHalving([1, 2, 3], async (batch) => {
      batches.push(batch.length);
      return batch.length > 1 ? 'unsupported' : 'accepted';
    });
    expect(batches).toEqual([3, 1, 1, 1]);
    expect(noBatches).toBe(true);
  });

  it.each<{ name: string; batch: Attempt; single: Attempt; expected: boolean }>([
    {
      name: 'every batch refused, every single message taken',
      batch: 'refused',
      single: 'accepted',
      expected: true,
    },
    { name: 'a single message refused too', batch: 'refused', single: 'refused', expected: false },
    { name: 'a single message failed', batch: 'refused', single: 'failed', expected: false },
    { name: 'the batch was only too large', batch: 'oversized', single: 'accepted', expected: false },
  ])('concludes $expected about batches from: $name', async ({ batch, single, expected }) => {
    expect(await sendHalving([1, 2], async ({ length }) => (length > 1 ? batch : single))).toBe(expected);
  });
});

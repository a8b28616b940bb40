import { describe, expect, it } from '@jest/globals';
import { forEachInFlight } from '../../../lib/domain/for-each-in-flight.ts';

describe('forEachInFlight', () => {
  it('does everything once, begun in order, never more than the bound at a time', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await forEachInFlight([0, 1, 2, 3, 4, 5, 6], 3, async (item) => {
      begun.push(item);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(3);
  });

  it('rejects with the first error, after everything that was begun has ended', async () => {
    let ended = 0;
    const work = forEachInFlight([0, 1], 2, async (item) => {
      if (item === 0) throw new Error('first');
      await new Promise((resolve) => setImmediate(resolve));
      ended += 1;
    });
    await expect(work).rejects.toThrow('first');
    expect(ended).toBe(1);
  });

  it('does nothing for nothing', async () => {
    await expect(forEachInFlight([], 3, async () => {})).resolves.toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { createLastStored } from '../../../lib/replication/last-stored.ts';

describe('createLastStored', () => {
  it('knows the last time of each cluster', () => {
    const lastStored = createLastStored();
    expect(lastStored.isAfter('a', 0)).toBe(false);
    lastStored.note('a', 10);
    lastStored.note('b', 99);
    expect([9, 10, 11].map((timeMs) => lastStored.isAfter('a', timeMs))).toEqual([true, false, false]);
  });

  it('forgets the cluster used longest ago, beyond 200', () => {
    const lastStored = createLastStored();
    for (let cluster = 0; cluster <= 200; cluster += 1) {
      lastStored.note('kept', 1);
      lastStored.note(`cluster-${cluster}`, 1);
    }
    expect(lastStored.isAfter('kept', 0)).toBe(true);
    expect(lastStored.isAfter('cluster-0', 0)).toBe(false);
    expect(lastStored.isAfter('cluster-200', 0)).toBe(true);
  });
});

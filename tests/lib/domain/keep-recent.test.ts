import { describe, expect, it } from '@jest/globals';
import { keepRecent } from '../../../lib/domain/keep-recent.ts';

describe('keepRecent', () => {
  it('answers what was used longest ago once there are more than the bound', () => {
    const map = new Map<string, number>();
    expect(keepRecent(map, 'a', 1, 2)).toBeUndefined();
    expect(keepRecent(map, 'b', 2, 2)).toBeUndefined();
    expect(keepRecent(map, 'a', 3, 2)).toBeUndefined();
    expect(keepRecent(map, 'c', 4, 2)).toBe(2);
    expect([...map]).toEqual([
      ['a', 3],
      ['c', 4],
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { loopReason } from '../../../../lib/domain/messages/loop-guard.ts';

describe('loopReason', () => {
  it('lets a message through that no task has carried', () => {
    expect(loopReason([], 'A', 1)).toBeUndefined();
  });

  it('lets a message through that fewer tasks have carried than allowed', () => {
    expect(loopReason(['A', 'B'], 'C', 3)).toBeUndefined();
  });

  it('stops what this task has carried, however many hops are allowed', () => {
    expect(loopReason(['A', 'B'], 'A', 10)).toBe('own-task');
  });

  it('stops what as many tasks have carried as allowed', () => {
    expect(loopReason(['A'], 'B', 1)).toBe('max-hops');
    expect(loopReason(['A', 'B', 'C'], 'D', 2)).toBe('max-hops');
  });
});

import { describe, expect, it } from '@jest/globals';
import { createTableBackoff } from '../../../../lib/adapters/dynamodb/table-backoff.ts';

describe('createTableBackoff', () => {
  it('grows from 50 ms to 400, at random below that, whatever the SDK begins with', () => {
    const longest = createTableBackoff(() => 1);
    longest.setDelayBase();
    expect([0, 1, 2, 3, 4, 9].map(longest.computeNextBackoffDelay)).toEqual([50, 100, 200, 400, 400, 400]);
    expect(createTableBackoff(() => 0.5).computeNextBackoffDelay(1)).toBe(50);
  });
});

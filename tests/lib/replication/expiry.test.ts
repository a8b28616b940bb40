import { describe, expect, it } from '@jest/globals';
import { expiresAtMs } from '../../../lib/replication/expiry.ts';

describe('expiresAtMs', () => {
  it.each([
    [{}, undefined, Number.POSITIVE_INFINITY],
    [{ expirySeconds: 5 }, undefined, 6_000],
    [{}, 3, 4_000],
    [{ expirySeconds: 5 }, 3, 4_000],
    [{ expirySeconds: 2 }, 3, 3_000],
    [{ expirySeconds: 0 }, undefined, 1_000],
  ])('of %j with a task that allows %s s', (message, maxAgeSeconds, expected) => {
    expect(expiresAtMs(message, 1_000, maxAgeSeconds)).toBe(expected);
  });
});

import { describe, expect, it } from '@jest/globals';
import { expiresAtMs, isTooOld, remainingExpirySeconds } from '../../../../lib/domain/messages/expiry.ts';

describe('remainingExpirySeconds', () => {
  it.each([
    [60, 0, 60],
    [60, 999, 60],
    [60, 1_000, 59],
    [60, 59_999, 1],
    [60, 60_000, undefined],
    [0, 0, undefined],
    [60, -5_000, 60],
    [0xffff_ffff, 1_000, 0xffff_fffe],
  ])('leaves of %i s after %i ms: %s', (expirySeconds, elapsedMs, expected) => {
    expect(remainingExpirySeconds(expirySeconds, 1_000_000, 1_000_000 + elapsedMs)).toBe(expected);
  });
});

describe('isTooOld', () => {
  it.each([
    [undefined, 1e12, false],
    [10, 10_000, false],
    [10, 10_001, true],
    [10, -1, false],
  ])('with %s s allowed says of an age of %i ms: %s', (maxAgeSeconds, ageMs, expected) => {
    expect(isTooOld(maxAgeSeconds, 5_000, 5_000 + ageMs)).toBe(expected);
  });
});

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

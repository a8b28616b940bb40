import { describe, expect, it } from '@jest/globals';
import { isoTime } from '../../../lib/domain/iso-time.ts';

describe('isoTime', () => {
  it.each([
    [1_798_761_600_000, '2027-01-01T00:00:00.000Z'],
    [Date.UTC(10_000, 0), '9999-12-31T23:59:59.999Z'],
    [8.64e15 + 1, '9999-12-31T23:59:59.999Z'],
    [Number.POSITIVE_INFINITY, '9999-12-31T23:59:59.999Z'],
    [Number.NaN, '1970-01-01T00:00:00.000Z'],
    [-1, '1970-01-01T00:00:00.000Z'],
  ])('tells %d as %s', (timeMs, text) => {
    expect(isoTime(timeMs)).toBe(text);
  });
});

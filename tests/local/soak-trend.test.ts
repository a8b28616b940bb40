import { describe, expect, it } from '@jest/globals';
import { createTally, payloadOf } from '../soak/tally.ts';
import { perMinute } from '../soak/trend.ts';

const at = (minute: number, residentMb: number) => ({ atMs: minute * 60_000, residentMb, handles: 7 });

describe('perMinute', () => {
  it('is what a figure gains, and nothing where it stays', () => {
    const samples = [at(0, 100), at(1, 103), at(2, 106)];
    expect(perMinute(samples, ({ residentMb }) => residentMb)).toBeCloseTo(3);
    expect(perMinute(samples, ({ handles }) => handles)).toBe(0);
    expect(perMinute([at(0, 100)], ({ residentMb }) => residentMb)).toBe(0);
  });
});

describe('createTally', () => {
  it('tells what came, what came twice and what was changed', () => {
    const tally = createTally(10);
    tally.note(payloadOf(3));
    tally.note(payloadOf(3));
    const changed = payloadOf(4);
    changed[200] = (changed[200] ?? 0) ^ 1;
    tally.note(changed);
    tally.note(payloadOf(11));
    expect(tally).toMatchObject({ arrived: 1, duplicates: 1, changed: 2 });
  });
});

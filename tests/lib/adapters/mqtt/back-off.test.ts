import { describe, expect, it } from '@jest/globals';
import { BackOff } from '../../../../lib/adapters/mqtt/back-off.ts';

describe('BackOff', () => {
  it('waits not at all, then twice as long each time up to 2 s, at least half of it', () => {
    for (const [random, part] of [
      [0, 0.5],
      [1, 1],
    ] as const) {
      const backOff = new BackOff(() => random);
      const waits = Array.from({ length: 8 }, () => {
        const { waitMs } = backOff;
        backOff.failed();
        return waitMs;
      });
      expect(waits).toEqual([0, 200, 400, 800, 1_600, 2_000, 2_000, 2_000].map((full) => full * part));
      backOff.succeeded();
      expect(backOff.waitMs).toBe(0);
    }
  });

  it('counts what an attempt without an answer was waited for', () => {
    const backOff = new BackOff(() => 1);
    for (let failures = 0; failures < 5; failures += 1) backOff.failed(500);
    expect(backOff.waitMs).toBe(1_500);
    backOff.failed(5_000);
    expect(backOff.waitMs).toBe(0);
    backOff.failed();
    expect(backOff.waitMs).toBe(2_000);
  });
});

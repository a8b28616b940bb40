import { describe, expect, it } from '@jest/globals';
import { createHoldLimit } from '../../../../lib/replication/pull-path/hold-limit.ts';

const MOST = 640;

function setUp() {
  let nowMs = 1_795_000_000_000;
  const limit = createHoldLimit({ most: MOST, clock: { now: () => nowMs } });
  return {
    limit,
    settle(count: number) {
      for (let settled = 0; settled < count; settled += 1) limit.settled();
    },
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

describe('createHoldLimit', () => {
  it('is two receives for who has settled nothing yet', () => {
    expect(setUp().limit.messages).toBe(64);
  });

  it.each([
    [10, 64],
    [90, 180],
    [300, 600],
    [5_000, MOST],
  ])('is what a lane of %i messages a second settles in two: %i', (perSecond, expected) => {
    const { limit, settle, pass } = setUp();
    for (let step = 0; step < 50; step += 1) {
      settle(perSecond / 10);
      pass(100);
    }
    // The step that has just begun is empty yet.
    pass(-1);
    expect(limit.messages).toBe(expected);
  });

  it('doubles with each round of who is quick', () => {
    const { limit, settle, pass } = setUp();
    const seen = [limit.messages];
    for (let round = 0; round < 4; round += 1) {
      settle(limit.messages);
      pass(20);
      seen.push(limit.messages);
    }
    expect(seen).toEqual([64, 128, 384, MOST, MOST]);
  });

  it('forgets what was settled more than a second ago, and after a clock that was set back', () => {
    const { limit, settle, pass } = setUp();
    settle(500);
    pass(800);
    expect(limit.messages).toBe(MOST);
    pass(300);
    expect(limit.messages).toBe(64);
    settle(500);
    pass(-60_000);
    expect(limit.messages).toBe(64);
    settle(100);
    expect(limit.messages).toBe(200);
    pass(3_600_000);
    expect(limit.messages).toBe(64);
  });
});

import { describe, expect, it } from '@jest/globals';
import { MAX_RECEIVE_COUNT, RETENTION_SECONDS } from '../../../lib/domain/tasks/resource-specs.ts';
import { retryWaitMs, visibilityTimeoutSeconds } from '../../../lib/replication/retry-schedule.ts';

const LEAST = () => 0;
const MOST = () => 0.999_999;
const MINUTE_MS = 60_000;

describe('retryWaitMs', () => {
  it('doubles from 100 ms to 2 s, the upper half by chance', () => {
    const attempts = [1, 2, 3, 4, 5, 6, 7, 50, 5_000];
    expect(attempts.map((attempt) => retryWaitMs(attempt, 0, LEAST))).toEqual([
      50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000,
    ]);
    expect(attempts.map((attempt) => retryWaitMs(attempt, 0, MOST))).toEqual([
      100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000,
    ]);
  });

  it('is never shorter than what a throttling target asked for', () => {
    expect(retryWaitMs(1, 5_000, MOST)).toBe(5_000);
    expect(retryWaitMs(9, 20, LEAST)).toBe(1_000);
  });
});

describe('visibilityTimeoutSeconds', () => {
  const now = 1_000 * MINUTE_MS;
  const received = (agoMs: number, receiveCount = 1) => ({
    sentTimeMs: now - agoMs,
    firstReceiveTimeMs: now - agoMs,
    receiveCount,
  });

  it.each([
    [0, 1, 5],
    [5 * MINUTE_MS - 1, 1, 5],
    [5 * MINUTE_MS, 30, 60],
    [14 * 24 * 60 * MINUTE_MS, 30, 60],
  ])('of a record first received %i ms ago lies between %i and %i', (agoMs, from, to) => {
    expect(visibilityTimeoutSeconds(received(agoMs), now, 0, LEAST)).toBe(from);
    expect(visibilityTimeoutSeconds(received(agoMs), now, 0, MOST)).toBe(to);
  });

  it('is at most 2 s for a record of a FIFO queue in the first five minutes', () => {
    const ordered = (agoMs: number) => ({ ...received(agoMs), groupKey: 'a' });
    expect(visibilityTimeoutSeconds(ordered(0), now, 0, LEAST)).toBe(1);
    expect(visibilityTimeoutSeconds(ordered(0), now, 0, MOST)).toBe(2);
    expect(visibilityTimeoutSeconds(ordered(5 * MINUTE_MS), now, 0, MOST)).toBe(60);
  });

  it('honours a throttling target up to what SQS takes, in whole seconds', () => {
    expect(visibilityTimeoutSeconds(received(0), now, 7_001, MOST)).toBe(8);
    expect(visibilityTimeoutSeconds(received(0), now, 10 ** 12, MOST)).toBe(43_200);
  });

  it.each([
    ['whose tries end at once', 0],
    ['whose tries take the function’s time', 20_000],
  ])('never uses up the receives of a record %s, while SQS keeps it', (_, tryMs) => {
    const retentionMs = RETENTION_SECONDS * 1_000;
    let receives = 0;
    for (let ageMs = 0; ageMs < retentionMs; receives += 1) {
      const record = { sentTimeMs: 0, firstReceiveTimeMs: 0, receiveCount: receives + 1 };
      ageMs += tryMs;
      ageMs += visibilityTimeoutSeconds(record, ageMs, 0, LEAST) * 1_000;
    }
    expect(receives).toBeLessThanOrEqual(MAX_RECEIVE_COUNT);
  });

  it('comes back within a minute while fewer than half of the receives are used', () => {
    expect(visibilityTimeoutSeconds(received(4 * 60 * MINUTE_MS, 499), now, 0, MOST)).toBe(60);
  });

  it('comes back at once when SQS is about to drop the record, and never waits longer than SQS lets it', () => {
    const retentionMs = RETENTION_SECONDS * 1_000;
    expect(visibilityTimeoutSeconds(received(retentionMs + 1, 900), now, 0, LEAST)).toBe(30);
    expect(visibilityTimeoutSeconds(received(MINUTE_MS, 999), now, 0, LEAST)).toBe(43_200);
  });

  it('takes a clock that runs behind SQS', () => {
    expect(visibilityTimeoutSeconds(received(-MINUTE_MS), now, 0, LEAST)).toBe(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { ConnectPatience } from '../../../../lib/adapters/mqtt/connect-patience.ts';

const MINUTE_MS = 60_000;

describe('ConnectPatience', () => {
  it('has 10 s for a broker that never let us in', () => {
    const patience = new ConnectPatience();
    patience.failed(0);
    expect(patience.at(0)).toBe(10_000);
  });

  it.each([
    [20, 4_000],
    [2_000, 8_000],
    [4_000, 10_000],
  ])('has four times what the broker took, %i ms, within bounds: %i ms', (tookMs, expected) => {
    const patience = new ConnectPatience();
    patience.connected(tookMs, 0);
    expect(patience.at(0)).toBe(expected);
  });

  it('does not take for slow who was away while an attempt was under way', () => {
    const patience = new ConnectPatience();
    patience.connected(20, 0);
    patience.connected(4_000, 1_000);
    expect(patience.at(5_000)).toBe(4_000);
    patience.connected(2_000, 10_000);
    expect(patience.at(12_000)).toBe(8_000);
  });

  it('counts lanes that met the same absence of the broker once', () => {
    const patience = new ConnectPatience();
    patience.connected(20, 0);
    for (const tookMs of [4_000, 4_100, 3_900]) patience.connected(tookMs, 1_000);
    expect(patience.at(6_000)).toBe(4_000);
  });

  it('learns at once of a broker that lets us in after five minutes only that it is slow', () => {
    const patience = new ConnectPatience();
    patience.connected(20, 0);
    patience.failed(0);
    patience.connected(6_000, 6 * MINUTE_MS);
    expect(patience.at(7 * MINUTE_MS)).toBe(10_000);
  });

  it('is long again when nothing has helped for five minutes, until the broker lets us in', () => {
    const patience = new ConnectPatience();
    patience.connected(20, 0);
    patience.failed(0);
    patience.failed(4 * MINUTE_MS);
    expect(patience.at(5 * MINUTE_MS)).toBe(4_000);
    expect(patience.at(5 * MINUTE_MS + 1)).toBe(10_000);
    patience.connected(20, 59 * MINUTE_MS);
    expect(patience.at(60 * MINUTE_MS)).toBe(4_000);
  });

  it('gives one attempt the longest time each five minutes: a broker that is only away is found sooner by quick ones', async () => {
    let nowMs = 0;
    const clock = { now: () => nowMs };
    const patience = new ConnectPatience();
    patience.connected(20, 0);
    const given: number[] = [];
    const unanswered = (timeoutMs: number) => {
      given.push(timeoutMs);
      nowMs += timeoutMs;
      return Promise.reject(new Error('no answer'));
    };
    while (nowMs < 11 * MINUTE_MS)
      await expect(patience.attempt(clock, unanswered)).rejects.toThrow('no answer');
    expect(given.filter((timeoutMs) => timeoutMs === 10_000)).toHaveLength(2);
    expect(new Set(given)).toEqual(new Set([4_000, 10_000]));
  });

  it('does not count a refusal as the one patient attempt', async () => {
    const clock = { now: () => 6 * MINUTE_MS };
    const patience = new ConnectPatience();
    patience.connected(20, 0);
    patience.failed(0);
    const refused = () => Promise.reject(new Error('refused'));
    await expect(patience.attempt(clock, refused)).rejects.toThrow('refused');
    expect(patience.at(clock.now())).toBe(10_000);
  });

  it('remembers for half a minute an attempt that got no answer, and none that was refused', async () => {
    let nowMs = 0;
    const clock = { now: () => nowMs };
    const patience = new ConnectPatience();
    const failAfter = (ms: number) =>
      patience.attempt(clock, async () => {
        nowMs += ms;
        throw new Error('failed');
      });
    await expect(failAfter(300)).rejects.toThrow('failed');
    expect(patience.hasStray(nowMs)).toBe(false);
    await expect(failAfter(5_000)).rejects.toThrow('failed');
    expect(patience.hasStray(nowMs + 29_999)).toBe(true);
    expect(patience.hasStray(nowMs + 30_000)).toBe(false);
  });

  it('learns from each attempt', async () => {
    let nowMs = 0;
    const clock = { now: () => nowMs };
    const patience = new ConnectPatience();
    await patience.attempt(clock, async (timeoutMs) => {
      expect(timeoutMs).toBe(10_000);
      nowMs += 1_500;
    });
    const refused = patience.attempt(clock, async (timeoutMs) => {
      expect(timeoutMs).toBe(6_000);
      throw new Error('refused');
    });
    await expect(refused).rejects.toThrow('refused');
    nowMs += 6 * MINUTE_MS;
    expect(patience.at(nowMs)).toBe(10_000);
  });
});

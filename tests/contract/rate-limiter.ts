import { describe, expect, it } from '@jest/globals';
import type { RateLimiter } from '../../lib/ports/rate-limiter.ts';

export interface RateLimiterUnderTest {
  limiter: RateLimiter;
  advance(ms: number): void;
}

/** What every rate limiter promises. */
export function describeRateLimiter(name: string, build: () => Promise<RateLimiterUnderTest>): void {
  describe(`RateLimiter, ${name}`, () => {
    it('lets one call pass, and says when the next one may', async () => {
      const { limiter, advance } = await build();
      expect(await limiter.take('iot', 4)).toBe(0);
      expect(await limiter.take('iot', 4)).toBe(250);
      advance(100);
      expect(await limiter.take('iot', 4)).toBe(150);
      advance(150);
      expect(await limiter.take('iot', 4)).toBe(0);
    });

    it('takes nothing when it says wait', async () => {
      const { limiter, advance } = await build();
      await limiter.take('iot', 4);
      for (let call = 0; call < 5; call += 1) await limiter.take('iot', 4);
      advance(250);
      expect(await limiter.take('iot', 4)).toBe(0);
    });

    it('keeps buckets apart', async () => {
      const { limiter } = await build();
      await limiter.take('iot', 4);
      expect(await limiter.take('lambda', 8)).toBe(0);
      expect(await limiter.take('lambda', 8)).toBe(125);
    });

    it('saves nothing up: no second ever sees more than the rate', async () => {
      const { limiter, advance } = await build();
      await limiter.take('iot', 4);
      advance(60_000);
      expect(await limiter.take('iot', 4)).toBe(0);
      expect(await limiter.take('iot', 4)).toBe(250);
    });

    it('lets one of those pass who ask at the same moment', async () => {
      const { limiter } = await build();
      const waits = await Promise.all(Array.from({ length: 8 }, () => limiter.take('iot', 4)));
      expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(1);
    });
  });
}

import type { Clock } from '../../ports/clock.ts';
import type { RateLimiter } from '../../ports/rate-limiter.ts';

/** Rate limits of one process, evenly spaced as the real ones. */
export function createMemoryRateLimiter(clock: Pick<Clock, 'now'>): RateLimiter {
  const nextAtMs = new Map<string, number>();
  return {
    async take(bucket, ratePerSecond) {
      const now = clock.now();
      const waitMs = (nextAtMs.get(bucket) ?? now) - now;
      if (waitMs > 0) return waitMs;
      nextAtMs.set(bucket, now + 1_000 / ratePerSecond);
      return 0;
    },
  };
}

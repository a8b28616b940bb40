import type { Clock } from '../../ports/clock.ts';
import type { RateLimiter } from '../../ports/rate-limiter.ts';
import { absent, any, atMost, changing } from './expressions.ts';
import type { Table } from './table.ts';
import { update } from './write.ts';

/** Time to live of a bucket's item that nobody asks for any more. */
const IDLE_SECONDS = 24 * 60 * 60;

/**
 * The generic cell rate algorithm without bursts, one item per bucket: the time from which the next call may be made,
 * moved on by one conditional write.
 */
export function createDynamoRateLimiter(table: Table, clock: Pick<Clock, 'now'>): RateLimiter {
  return {
    async take(bucket, ratePerSecond) {
      const now = clock.now();
      const outcome = await update(table, {
        Key: { PK: `RATE#${bucket}`, SK: 'META' },
        ...changing(
          {
            set: { nextAtMs: now + 1_000 / ratePerSecond, expiresAt: Math.ceil(now / 1_000) + IDLE_SECONDS },
          },
          any(absent('nextAtMs'), atMost('nextAtMs', now)),
        ),
      });
      return outcome.ok ? 0 : Math.max(1, Number(outcome.found?.nextAtMs ?? now) - now);
    },
  };
}

import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RateLimiter } from '../../ports/rate-limiter.ts';

/** Calls a second, below the quotas of AWS, which are per account and region and not ours alone. */
const RATES = {
  /** Create, replace, enable, disable and delete: 5 each in the smallest regions. */
  'iot:write': { bucket: 'iot', perSecond: 4 },
  /** Get: 20 in small regions. */
  'iot:read': { bucket: 'iot-read', perSecond: 10 },
  /** List: 2. */
  'iot:list': { bucket: 'iot-list', perSecond: 1 },
  /** Lambda has one quota of 15 for all calls of its control plane. */
  'lambda:write': { bucket: 'lambda', perSecond: 8 },
  'lambda:read': { bucket: 'lambda', perSecond: 8 },
  'lambda:list': { bucket: 'lambda', perSecond: 8 },
} as const;

/** Waiting longer in a function is dearer than coming again. */
const MAX_WAIT_MS = 5_000;
const MAX_TRIES = 25;

export type PacedCall = 'read' | 'write' | 'list';

/** Makes the pace of one system in one region: resolves when a call may be made, or throws `not-yet`. */
export function createPacer({
  limiter,
  clock,
  random = Math.random,
}: {
  limiter: RateLimiter;
  clock: Clock;
  random?: () => number;
}): (system: 'iot' | 'lambda', region: string) => (kind: PacedCall) => Promise<void> {
  return (system, region) => async (kind) => {
    const { bucket, perSecond } = RATES[`${system}:${kind}`];
    const endMs = clock.now() + MAX_WAIT_MS;
    let waitMs = 0;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      waitMs = await limiter.take(`${bucket}:${region}`, perSecond);
      if (waitMs <= 0) return;
      // Spread, so that those who wait do not all come at the same moment.
      waitMs += random() * (1_000 / perSecond);
      if (clock.now() + waitMs > endMs) break;
      await clock.sleep(waitMs);
    }
    throw new ControlPlaneError(`calls to ${system} in ${region} are at our own limit`, {
      code: 'RATE_LIMITED',
      reaction: 'not-yet',
      waitMs: Math.max(1_000, Math.ceil(waitMs)),
    });
  };
}

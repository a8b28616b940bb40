import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';

/** Credentials that stay refused must not turn every call into a read of the secret. */
const INTERVAL_MS = 30_000;
const MAX_REMEMBERED = 200;

/** When a secret may be read past every cache because a cluster refused what it held. */
export interface FreshReads {
  /** True at most every 30 s for each cluster; counts as a read. */
  take(clusterId: string): boolean;
}

export function createFreshReads(clock: Clock): FreshReads {
  const lastReads = new Map<string, number>();
  return {
    take(clusterId) {
      const now = clock.now();
      if (now - (lastReads.get(clusterId) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return false;
      keepRecent(lastReads, clusterId, now, MAX_REMEMBERED);
      return true;
    },
  };
}

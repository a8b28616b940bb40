import type { Clock } from '../ports/clock.ts';

/** How far a quiet lane may run ahead of its rate, in milliseconds. */
const BURST_MS = 1_000;

/**
 * Spreads calls to a rate per second; without a rate nobody waits. The answered function resolves when one more may go, and
 * rejects never: an aborted wait ends early.
 */
export function createPacer(
  ratePerSecond: number | undefined,
  clock: Clock,
  signal: AbortSignal,
): () => Promise<void> | undefined {
  if (ratePerSecond === undefined) return () => undefined;
  const stepMs = 1_000 / ratePerSecond;
  let nextAtMs = clock.now();
  return () => {
    const nowMs = clock.now();
    nextAtMs = Math.max(nextAtMs, nowMs - BURST_MS) + stepMs;
    const waitMs = nextAtMs - stepMs - nowMs;
    return waitMs <= 0 ? undefined : clock.sleep(waitMs, signal).catch(() => undefined);
  };
}

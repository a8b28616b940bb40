import type { Clock } from '../../ports/clock.ts';

/** Whose turn it is: at most so many a second, and so many at once, in the order of asking. */
export interface Pace {
  /** Undefined: no turn before the deadline. Otherwise to be called when done. */
  turn(deadlineMs: number): Promise<(() => void) | undefined>;
}

/** Turns that nobody took are kept for so long, so that a short burst need not wait. */
const BURST_MS = 100;

/** @param ratePerSecond - above 0 */
export function createPace({
  clock,
  ratePerSecond,
  maxInFlight,
}: {
  clock: Clock;
  ratePerSecond: number;
  maxInFlight: number;
}): Pace {
  const gapMs = 1_000 / ratePerSecond;
  const waiting = new Set<() => void>();
  let inFlight = 0;
  let nextMs = 0;

  function release(): void {
    const [next] = waiting;
    if (next === undefined) inFlight -= 1;
    else {
      // The place is handed on, so nobody who comes now gets before those who wait.
      waiting.delete(next);
      next();
    }
  }

  async function place(deadlineMs: number): Promise<boolean> {
    if (inFlight < maxInFlight) {
      inFlight += 1;
      return true;
    }
    const timer = new AbortController();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const give = () => resolve(true);
    waiting.add(give);
    const late = clock.sleep(deadlineMs - clock.now(), timer.signal).then(
      () => {
        if (waiting.delete(give)) resolve(false);
      },
      () => undefined,
    );
    const hasPlace = await promise;
    timer.abort();
    await late;
    return hasPlace;
  }

  return {
    async turn(deadlineMs) {
      if (!(await place(deadlineMs))) return undefined;
      const nowMs = clock.now();
      const atMs = Math.max(nextMs, nowMs - BURST_MS);
      if (atMs >= deadlineMs) {
        release();
        return undefined;
      }
      nextMs = atMs + gapMs;
      if (atMs > nowMs) await clock.sleep(atMs - nowMs);
      return release;
    },
  };
}

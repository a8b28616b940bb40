import type { Clock } from '../../ports/clock.ts';

/** What is settled in so long counts, in steps. */
const WINDOW_MS = 1_000;
const STEPS = 10;
/** A lane may hold what it settles in so many windows. */
const WINDOWS_HELD = 2;
/** However little it settles: two receives. */
const LEAST = 64;

/**
 * How many messages a lane may hold: what it settles in two seconds. More would wait longer than that for their turn, and all that is held
 * comes again, late and twice, when the lane's process is killed. A lane that is given more to do doubles it with each round.
 */
export interface HoldLimit {
  readonly messages: number;
  settled(): void;
}

/** @param most - however much it settles */
export function createHoldLimit({ most, clock }: { most: number; clock: Pick<Clock, 'now'> }): HoldLimit {
  const stepMs = WINDOW_MS / STEPS;
  const counts = new Array<number>(STEPS).fill(0);
  let step = Math.floor(clock.now() / stepMs);

  function advance(): void {
    const now = Math.floor(clock.now() / stepMs);
    const passed = now - step;
    // All of it is old; or the clock was set back, and nobody knows.
    if (passed < 0 || passed >= STEPS) counts.fill(0);
    else for (let offset = 1; offset <= passed; offset += 1) counts[(step + offset) % STEPS] = 0;
    step = now;
  }

  return {
    get messages() {
      advance();
      const inWindow = counts.reduce((sum, count) => sum + count, 0);
      return Math.min(most, Math.max(LEAST, WINDOWS_HELD * inWindow));
    },
    settled() {
      advance();
      const index = step % STEPS;
      counts[index] = (counts[index] ?? 0) + 1;
    },
  };
}

import type { Clock } from '../../ports/clock.ts';

/** No timer is longer, since Node's end at 2^31 ms. */
const LONGEST_MS = 60_000;
/** Deadlines close to each other are met by one sweep. */
const SHORTEST_MS = 10;

/**
 * One timer for the deadlines of many: it wakes at the earliest. `sweep` ends what is over and answers the earliest deadline
 * that is left, `Infinity` for none.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #sweep: (nowMs: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, sweep: (nowMs: number) => number) {
    this.#clock = clock;
    this.#sweep = sweep;
  }

  watch(deadlineMs: number): void {
    if (deadlineMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = deadlineMs;
    const waitMs = Math.min(Math.max(deadlineMs - this.#clock.now(), SHORTEST_MS), LONGEST_MS);
    this.#timer = setTimeout(() => this.#wake(), waitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    this.stop();
    this.watch(this.#sweep(this.#clock.now()));
  }
}

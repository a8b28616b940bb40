const FIRST_MS = 200;
/** A broker that comes back is connected within seconds. */
const MAX_MS = 2_000;

/**
 * How long to wait before connecting again: nothing at first, then twice as long each time, half of it by chance. An attempt that got no
 * answer was waited for already, and that counts: a broker is asked no oftener by it, and found sooner when it is back.
 */
export class BackOff {
  readonly #random: () => number;
  #failures = 0;
  #waitedMs = 0;

  /** @param random - from 0 to 1; for tests */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The last connection was of use. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** Connecting failed, or the connection was lost. @param attemptMs - how long an attempt without an answer took */
  failed(attemptMs = 0): void {
    this.#failures += 1;
    this.#waitedMs = attemptMs;
  }

  get waitMs(): number {
    if (this.#failures === 0) return 0;
    const fullMs = Math.min(FIRST_MS * 2 ** (this.#failures - 1), MAX_MS);
    return Math.max(0, fullMs * (0.5 + this.#random() / 2) - this.#waitedMs);
  }
}

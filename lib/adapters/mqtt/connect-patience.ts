/** A broker that is new to us may be far, or start an authoriser first. */
const LONGEST_MS = 10_000;
/**
 * One that has let us in before does it again as fast; it may just have been started, and a SYN be lost (sent again after 1 and 3 s). What is
 * swallowed right before the broker is back leaves the next attempt a second of the 5 within which messages have to flow again.
 */
const SHORTEST_MS = 4_000;
const TIMES_THE_USUAL = 4;
/** An attempt that failed after so long was not refused, but not answered. */
const UNANSWERED_MS = 1_000;
/** After that it may be slow now, and one attempt finds out; for as long then it is away again, and may come back at any moment. */
const QUICK_PHASE_MS = 5 * 60_000;
/** So long an attempt that was given up may still come through, and throw out the one that was made after it. */
const STRAY_MS = 30_000;

/**
 * How long one attempt to connect may take, from the TCP connection to CONNACK. An attempt that a broken network has swallowed is
 * never answered, and until it is given up there is no other: so it is given up soon where brokers answer soon.
 */
export class ConnectPatience {
  /** The quicker of the last two: one that took long may have begun while the broker was away, so slow is who was so twice. */
  #usualMs: number | undefined;
  #lastMs: number | undefined;
  #connectedAtMs = Number.NEGATIVE_INFINITY;
  /** Since when none has failed but quick ones. */
  #quickSinceMs: number | undefined;
  #unansweredMs = Number.NEGATIVE_INFINITY;

  /** For an attempt that begins now, in ms. */
  at(nowMs: number): number {
    if (this.#usualMs === undefined || this.#isSlowRatherThanAway(nowMs)) return LONGEST_MS;
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, TIMES_THE_USUAL * this.#usualMs));
  }

  /** The broker has let us in, by an attempt that began then. */
  connected(tookMs: number, beganMs: number): void {
    // Lanes connect side by side: those that met the same absence have been slow once.
    const isOfTheSame = beganMs < this.#connectedAtMs;
    const isUsual = this.#lastMs === undefined || this.#isSlowRatherThanAway(beganMs);
    const beforeMs = isOfTheSame ? this.#usualMs : this.#lastMs;
    this.#usualMs = isUsual ? tookMs : Math.min(tookMs, beforeMs ?? tookMs);
    this.#lastMs = isOfTheSame ? Math.min(tookMs, this.#lastMs ?? tookMs) : tookMs;
    this.#connectedAtMs = Math.max(this.#connectedAtMs, beganMs + tookMs);
    this.#quickSinceMs = undefined;
  }

  /** @param wasPatient - the attempt had the longest time, and got no answer */
  failed(nowMs: number, wasPatient = false): void {
    if (wasPatient || this.#quickSinceMs === undefined) this.#quickSinceMs = nowMs;
  }

  /** Whether an attempt of ours that got no answer may be what the broker calls another client. */
  hasStray(nowMs: number): boolean {
    return nowMs - this.#unansweredMs < STRAY_MS;
  }

  /** Makes one attempt. */
  async attempt<T>(clock: { now(): number }, connect: (timeoutMs: number) => Promise<T>): Promise<T> {
    const beganMs = clock.now();
    const timeoutMs = this.at(beganMs);
    try {
      const connected = await connect(timeoutMs);
      this.connected(clock.now() - beganMs, beganMs);
      return connected;
    } catch (error) {
      const nowMs = clock.now();
      // Whoever gave it up: what was refused or closed would have taken less.
      const isUnanswered = nowMs - beganMs >= UNANSWERED_MS;
      if (isUnanswered) this.#unansweredMs = nowMs;
      this.failed(nowMs, isUnanswered && timeoutMs === LONGEST_MS);
      throw error;
    }
  }

  #isSlowRatherThanAway(nowMs: number): boolean {
    return this.#quickSinceMs !== undefined && nowMs - this.#quickSinceMs > QUICK_PHASE_MS;
  }
}

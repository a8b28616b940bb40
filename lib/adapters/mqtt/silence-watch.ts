import type { Clock } from '../../ports/clock.ts';

/** How long a broker may be silent, in ms. */
export interface SilenceTimes {
  /** With nothing heard for so long it is pinged. */
  quietMs: number;
  /** It has so long to answer. */
  answerMs: number;
  /** So often it is looked at. */
  everyMs: number;
}

/** A broker that hangs, and a flow that was dropped without a sign, are told within 5 s. */
const TIMES: SilenceTimes = { quietMs: 1_500, answerMs: 2_500, everyMs: 250 };

/**
 * Pings a broker from which nothing comes, and tells when not even that is answered. Keep alive alone would take half a minute: it is
 * the broker's right to be silent for as long (§3.1.2.10), and AWS IoT takes no shorter one.
 */
export class SilenceWatch {
  readonly #options: { ping(): void; onSilent(): void; clock: Pick<Clock, 'now'>; times?: SilenceTimes };
  #timer: NodeJS.Timeout | undefined;
  #heardMs = 0;
  #lookedMs = 0;
  #pingedMs: number | undefined;

  constructor(options: { ping(): void; onSilent(): void; clock: Pick<Clock, 'now'>; times?: SilenceTimes }) {
    this.#options = options;
  }

  start(): void {
    this.#heardMs = this.#options.clock.now();
    this.#lookedMs = this.#heardMs;
    this.#pingedMs = undefined;
    this.#timer ??= setInterval(() => this.#look(), this.#times.everyMs);
  }

  /** Something has come. */
  heard(): void {
    this.#heardMs = this.#options.clock.now();
    this.#pingedMs = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get #times(): SilenceTimes {
    return this.#options.times ?? TIMES;
  }

  #look(): void {
    const { clock, ping, onSilent } = this.#options;
    const { quietMs, answerMs, everyMs } = this.#times;
    const nowMs = clock.now();
    // This process was frozen, or busy: what has come meanwhile is read after this.
    const isLate = nowMs - this.#lookedMs > 2 * everyMs;
    this.#lookedMs = nowMs;
    if (this.#pingedMs !== undefined) {
      if (isLate) this.#pingedMs = nowMs;
      else if (nowMs - this.#pingedMs >= answerMs) {
        this.stop();
        onSilent();
      }
    } else if (nowMs - this.#heardMs >= quietMs) {
      this.#pingedMs = nowMs;
      ping();
    }
  }
}

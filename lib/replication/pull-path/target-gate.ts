import type { BridgeError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';

/** From so many side by side on nobody is counted any more. */
const FULLY_OPEN = 256;
/** A target that has taken something since is not away: one answer did not come, which closes the gate and is nobody's trouble yet. */
const JUST_TAKEN_MS = 1_000;

/**
 * Open while the target takes messages. Closed by a failure that may be the target's own; then one held message after the other
 * tries, with a growing wait between, and the rest waits. The first that goes through opens it: two may go, then four, and so on,
 * so that a target that was throttled or has just come back is not overrun by all that has waited for it.
 */
export interface TargetGate {
  readonly isOpen: boolean;
  /** It is open, and nothing is refused that may be the target's own fault. */
  readonly isWell: boolean;
  /** Epoch ms at which the target last took a message; 0: not yet. */
  readonly lastAcceptedAtMs: number;
  /** How often the target has taken a message. */
  readonly acceptances: number;
  accepted(): void;
  /**
   * An answer that does not come, from a target that takes others, is not told: whether it is away the next try shows.
   *
   * @param askedWaitMs - how long the target asked to wait
   */
  close(error: BridgeError, askedWaitMs?: number): void;
  /** Something is refused, and it is not known yet whose fault that is: told as if it were closed, until something goes through. */
  warn(error: BridgeError): void;
  /** As `enter`, where nobody has to wait: undefined when it is to be waited for, or the signal has aborted. */
  enterAtOnce(signal: AbortSignal): (() => void) | undefined;
  /** Waits for leave to try once; whoever got it calls the answer when the try is over. Undefined: the signal aborted. */
  enter(signal: AbortSignal): Promise<(() => void) | undefined>;
  /** Resolves when it is open, or after `ms`, or when the signal aborts. */
  whenOpen(ms: number, signal: AbortSignal): Promise<void>;
}

export function createTargetGate({
  clock,
  random,
  onOpen,
  onClose,
}: {
  clock: Clock;
  random: Random;
  /** Told each time the target takes a message after a failure. */
  onOpen(): void;
  onClose(error: BridgeError): void;
}): TargetGate {
  let lastAcceptedAtMs = 0;
  let acceptances = 0;
  let opening: PromiseWithResolvers<void> | undefined;
  let limit = Number.POSITIVE_INFINITY;
  let active = 0;
  /** Rounds of failures in a row, and when the next may begin. */
  let failures = 0;
  let notBeforeMs = 0;
  let isWarned = false;
  /** Who waits, in order; told false when he waits no more. */
  const line = new Set<(isGranted: boolean) => void>();

  function grant(): void {
    for (const go of line) {
      if (active >= limit) return;
      line.delete(go);
      active += 1;
      go(true);
    }
  }

  function hasJustTaken(): boolean {
    return clock.now() - lastAcceptedAtMs < JUST_TAKEN_MS;
  }

  function leave(): void {
    active -= 1;
    grant();
  }

  async function waitInLine(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const giveUp = () => {
      // Granted in the same moment: then it is his, and he gives it back.
      if (line.delete(resolve)) resolve(false);
    };
    line.add(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    const isGranted = await promise;
    signal.removeEventListener('abort', giveUp);
    return isGranted;
  }

  async function cooledDown(signal: AbortSignal): Promise<void> {
    const waitMs = notBeforeMs - clock.now();
    if (opening === undefined || waitMs <= 0) return;
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }

  return {
    get isOpen() {
      return opening === undefined;
    },
    get isWell() {
      return opening === undefined && !isWarned;
    },
    get lastAcceptedAtMs() {
      return lastAcceptedAtMs;
    },
    get acceptances() {
      return acceptances;
    },
    accepted() {
      lastAcceptedAtMs = clock.now();
      acceptances += 1;
      failures = 0;
      if (opening !== undefined || isWarned) {
        opening?.resolve();
        opening = undefined;
        isWarned = false;
        onOpen();
      }
      if (Number.isFinite(limit)) {
        limit = limit * 2 >= FULLY_OPEN ? Number.POSITIVE_INFINITY : limit * 2;
        grant();
      }
    },
    close(error, askedWaitMs = 0) {
      opening ??= Promise.withResolvers<void>();
      limit = 1;
      // What fails together is one round.
      if (clock.now() >= notBeforeMs) {
        failures += 1;
        notBeforeMs = clock.now() + retryWaitMs(failures, askedWaitMs, random);
      }
      if (error.code !== 'TARGET_TIMEOUT' || !hasJustTaken()) onClose(error);
    },
    warn(error) {
      isWarned = true;
      onClose(error);
    },
    enterAtOnce(signal) {
      if (opening !== undefined || active >= limit || signal.aborted) return undefined;
      active += 1;
      return leave;
    },
    async enter(signal) {
      if (active < limit) active += 1;
      else if (!(await waitInLine(signal))) return undefined;
      await cooledDown(signal);
      if (signal.aborted) {
        leave();
        return undefined;
      }
      return leave;
    },
    async whenOpen(ms, signal) {
      if (opening === undefined || signal.aborted) return;
      await Promise.race([opening.promise, clock.sleep(ms, signal).catch(() => undefined)]);
    },
  };
}

import type { BridgeError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Open while the target takes messages. Closed by a failure that may be the target's own, opened by the next message that it
 * takes. While it is closed one held message after the other takes its turn to try; the rest waits.
 */
export interface TargetGate {
  readonly isOpen: boolean;
  /** Epoch ms at which the target last took a message; 0: not yet. */
  readonly lastAcceptedAtMs: number;
  accepted(): void;
  close(error: BridgeError): void;
  /**
   * Waits for the gate to open, or for a turn: then for `waitMs`, and `takeTurn` must be ended by `endTurn`. Ends early,
   * without an error, when the signal aborts. Answers whether it is a turn.
   */
  takeTurn(waitMs: number, signal: AbortSignal): Promise<boolean>;
  endTurn(): void;
  /** Resolves when it is open, or after `ms`, or when the signal aborts. */
  whenOpen(ms: number, signal: AbortSignal): Promise<void>;
}

export function createTargetGate({
  clock,
  onOpen,
  onClose,
}: {
  clock: Clock;
  /** Told each time the target takes a message after a failure. */
  onOpen(): void;
  onClose(error: BridgeError): void;
}): TargetGate {
  let lastAcceptedAtMs = 0;
  let opening: PromiseWithResolvers<void> | undefined;
  let hasTurn = false;
  /** Who waits for a turn, in order. */
  const line: (() => void)[] = [];

  function next(): void {
    const first = line.shift();
    hasTurn = first !== undefined;
    first?.();
  }

  async function turn(signal: AbortSignal): Promise<void> {
    if (!hasTurn) {
      hasTurn = true;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    line.push(resolve);
    await unless(signal, promise);
  }

  return {
    get isOpen() {
      return opening === undefined;
    },
    get lastAcceptedAtMs() {
      return lastAcceptedAtMs;
    },
    accepted() {
      lastAcceptedAtMs = clock.now();
      if (opening === undefined) return;
      opening.resolve();
      opening = undefined;
      for (const go of line.splice(0)) go();
      onOpen();
    },
    close(error) {
      opening ??= Promise.withResolvers<void>();
      onClose(error);
    },
    async takeTurn(waitMs, signal) {
      if (opening !== undefined) await turn(signal);
      if (opening === undefined || signal.aborted) return false;
      await Promise.race([opening.promise, clock.sleep(waitMs, signal).catch(() => undefined)]);
      return true;
    },
    endTurn: next,
    async whenOpen(ms, signal) {
      if (opening === undefined || signal.aborted) return;
      await Promise.race([opening.promise, clock.sleep(ms, signal).catch(() => undefined)]);
    },
  };
}

/** Waits for a promise, but no longer than until the signal aborts. */
async function unless(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  if (signal.aborted) return;
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  signal.addEventListener('abort', abort, { once: true });
  await Promise.race([promise, aborted]);
  signal.removeEventListener('abort', abort);
}

import type { Clock } from '../../ports/clock.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';

/** On a topic that is never empty: nothing older than the start came for so long. */
const CAUGHT_UP_AFTER_MS = 60_000;

/**
 * The start position where no admin port can move the group: what was born before it is skipped, until the group has caught
 * up. From then on the age of a message, by the clock of its producer, no longer matters.
 */
export interface StartSkip {
  isTooOld(message: Born): boolean;
  /** Told of each answered receive, before its messages are decided on. */
  received(messages: readonly Born[]): void;
}

type Born = Pick<ReceivedMessage, 'bornTimeMs'>;

/**
 * @param options.bornBeforeMs - epoch ms; 0: nothing is skipped
 * @param options.onCaughtUp - told once: the start is behind us, and not to be skipped to again
 */
export function createStartSkip({
  bornBeforeMs,
  clock,
  onCaughtUp,
}: {
  bornBeforeMs: number;
  clock: Pick<Clock, 'now'>;
  onCaughtUp(): void;
}): StartSkip {
  /** Told apart when they come: they may wait until the group has caught up. */
  const tooOld = new WeakSet<Born>();
  let isSkipping = bornBeforeMs > 0;
  let lastSkippedAtMs = clock.now();

  return {
    isTooOld: (message) => tooOld.has(message),
    received(messages) {
      if (!isSkipping) return;
      const old = messages.filter(({ bornTimeMs }) => bornTimeMs < bornBeforeMs);
      for (const message of old) tooOld.add(message);
      if (old.length > 0) lastSkippedAtMs = clock.now();
      else if (messages.length === 0 || clock.now() - lastSkippedAtMs >= CAUGHT_UP_AFTER_MS) {
        isSkipping = false;
        onCaughtUp();
      }
    },
  };
}

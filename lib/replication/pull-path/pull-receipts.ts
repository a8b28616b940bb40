import type { ReceivedMessage } from '../../ports/message-consumer.ts';

/** Messages of a FIFO topic that a lane remembers to have met: many times what it may hold. */
const MAX_MET = 20_000;

/** Tells a message's first receipt from later ones, so that it is consumed once. */
export interface PullReceipts {
  /** To be asked once for each receipt. */
  isAgain(message: ReceivedMessage): boolean;
  /** What became of the receipt. */
  settled(message: ReceivedMessage, isDone: boolean): void;
  /** Met, and left at the source: for the next owner of the lane they are new. */
  readonly leftBehind: number;
}

/** The cluster counts the deliveries of a NORMAL topic; of a FIFO topic it says 1 each time, so the lane remembers (protocol-design-rule 17). */
export function createPullReceipts({ isFifo }: { isFifo: boolean }): PullReceipts {
  const met = new Set<string>();
  const left = new Set<string>();
  if (!isFifo) {
    return {
      isAgain: ({ deliveryAttempt }) => deliveryAttempt > 1,
      settled: () => undefined,
      leftBehind: 0,
    };
  }
  return {
    isAgain(message) {
      const key = keyOf(message);
      if (met.has(key)) return true;
      met.add(key);
      const [oldest] = met;
      if (met.size > MAX_MET && oldest !== undefined) met.delete(oldest);
      return false;
    },
    settled(message, isDone) {
      if (isDone) left.delete(keyOf(message));
      else left.add(keyOf(message));
    },
    get leftBehind() {
      return left.size;
    },
  };
}

function keyOf({ brokerName, queueId, queueOffset }: ReceivedMessage): string {
  return `${brokerName} ${queueId} ${queueOffset}`;
}

/** A receive that brings so much asks for another receiver: there is more than one fetches. */
const IS_MUCH = 16;
/** One that brings no more sends a receiver away. */
const IS_LITTLE = 1;

/**
 * How many of a lane's receivers are at work. Each waits in a long poll, which costs the cluster something also when nothing
 * comes, and one alone fetches hundreds of messages a second: so there are few while little comes, and all under load.
 */
export interface ReceiveCrew {
  /** Resolves when the receiver of this number (from 0) is to receive, or the lane drains. */
  turn(receiver: number): Promise<void>;
  brought(messages: number): void;
  /** Never fewer than this, from now on: with several brokers, a long poll at one hears nothing of the others. */
  keep(least: number): void;
}

/** @param size - how many receivers there are */
export function createReceiveCrew(size: number, draining: AbortSignal): ReceiveCrew {
  const waiting = new Map<number, () => void>();
  let least = 1;
  let wanted = 1;

  function setWanted(next: number): void {
    wanted = Math.min(size, Math.max(least, next));
    for (const [receiver, go] of waiting) {
      if (receiver >= wanted && !draining.aborted) continue;
      waiting.delete(receiver);
      go();
    }
  }

  draining.addEventListener('abort', () => setWanted(size), { once: true });
  return {
    async turn(receiver) {
      if (receiver < wanted || draining.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(receiver, resolve);
      await promise;
    },
    brought(messages) {
      if (messages >= IS_MUCH) setWanted(wanted + 1);
      else if (messages <= IS_LITTLE) setWanted(wanted - 1);
    },
    keep(next) {
      least = Math.min(size, next);
      setWanted(wanted);
    },
  };
}

import type { Clock } from '../../ports/clock.ts';

interface Sleeper {
  wakeAtMs: number;
  wake: () => void;
}

/** A clock that stands still until it is turned. */
export interface ManualClock extends Clock {
  /** Turns the clock on, and wakes, in their order, those whose time has come. Answers when they had a chance to go on. */
  advance(ms: number): Promise<void>;
  /** How many sleep now. */
  readonly sleepers: number;
  /** Resolves as soon as so many sleep: then there is something to wake. */
  whenSleeping(count: number): Promise<void>;
}

/** @param startMs epoch milliseconds it shows at first. */
export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let nowMs = startMs;
  const sleeping = new Set<Sleeper>();
  const watchers = new Set<{ count: number; resolve: () => void }>();

  function notify(): void {
    for (const watcher of watchers) {
      if (sleeping.size < watcher.count) continue;
      watchers.delete(watcher);
      watcher.resolve();
    }
  }

  function nextBefore(endMs: number): Sleeper | undefined {
    return [...sleeping]
      .filter(({ wakeAtMs }) => wakeAtMs <= endMs)
      .sort((a, b) => a.wakeAtMs - b.wakeAtMs)
      .at(0);
  }

  return {
    now: () => nowMs,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper = { wakeAtMs: nowMs + ms, wake: resolve };
      const abort = () => {
        sleeping.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      sleeping.add(sleeper);
      notify();
      return promise.finally(() => signal?.removeEventListener('abort', abort));
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      for (let next = nextBefore(endMs); next !== undefined; next = nextBefore(endMs)) {
        nowMs = Math.max(nowMs, next.wakeAtMs);
        sleeping.delete(next);
        next.wake();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
    get sleepers() {
      return sleeping.size;
    },
    whenSleeping(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.add({ count, resolve });
      notify();
      return promise;
    },
  };
}

/** Everything that is ready to run, runs. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

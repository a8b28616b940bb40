import { setTimeout as delay } from 'node:timers/promises';
import { minuteOf } from '../../lib/domain/figures/figures.ts';

/** One of so many lacks what the mapping of its task needs: its place are the dead letters. */
const FAULTY_EVERY = 100;
const BURST_MS = 100;

export interface ExactMessage {
  number: number;
  isFaulty: boolean;
  payload: Buffer;
}

/** Publishes, and counts what its broker has accepted: the first of the outside witnesses. */
export interface ExactSource {
  readonly accepted: number;
  /** Among them, those for the dead letters. */
  readonly faulty: number;
  readonly byMinute: ReadonlyMap<number, number>;
  /** As fast as they are accepted; `sound`: none of them is for the dead letters. */
  publish(count: number, kind?: 'mixed' | 'sound'): Promise<void>;
  /** At a steady rate until the signal aborts. */
  publishSteadily(perSecond: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** @param options.send - resolves when the broker has accepted all of them */
export function createExactSource(options: {
  atMost: number;
  send(messages: readonly ExactMessage[]): Promise<void>;
  close(): Promise<void>;
}): ExactSource {
  const byMinute = new Map<number, number>();
  let accepted = 0;
  let faulty = 0;

  async function publish(count: number, kind: 'mixed' | 'sound' = 'mixed'): Promise<void> {
    for (let left = count; left > 0; ) {
      const messages = Array.from({ length: Math.min(left, options.atMost) }, (_, index) =>
        messageOf(accepted + index, kind),
      );
      await options.send(messages);
      const minute = minuteOf(Date.now());
      byMinute.set(minute, (byMinute.get(minute) ?? 0) + messages.length);
      accepted += messages.length;
      faulty += messages.filter(({ isFaulty }) => isFaulty).length;
      left -= messages.length;
    }
  }

  return {
    get accepted() {
      return accepted;
    },
    get faulty() {
      return faulty;
    },
    byMinute,
    publish,
    async publishSteadily(perSecond, signal) {
      const beganMs = Date.now();
      for (let sent = 0; !signal.aborted; ) {
        const due = Math.floor(((Date.now() - beganMs) * perSecond) / 1_000) - sent;
        await publish(due);
        sent += due;
        // Ended by the signal.
        await delay(BURST_MS, undefined, { signal }).catch(() => undefined);
      }
    },
    close: options.close,
  };
}

function messageOf(number: number, kind: 'mixed' | 'sound'): ExactMessage {
  const isFaulty = kind === 'mixed' && number % FAULTY_EVERY === FAULTY_EVERY - 1;
  const key = isFaulty ? {} : { key: `k${number}` };
  return {
    ...{ number, isFaulty },
    payload: Buffer.from(JSON.stringify({ ...key, number, volts: 230.4, state: 'charging' })),
  };
}

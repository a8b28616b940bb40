import { setTimeout as delay } from 'node:timers/promises';
import { type NumberedMessage, numberedMessage } from '../helpers/numbered-messages.ts';

/** Publishes numbered messages at a steady rate, each until it is accepted, as a device with a buffer of a second does. */
export interface SteadySource {
  /** Accepted by the source's broker, in the order of their numbers, each once however often it was sent. */
  readonly sent: readonly NumberedMessage[];
  /** @param most - so many, and then no more; default: until it is told to pause */
  start(perSecond?: number, most?: number): void;
  /** Resolves when all that was begun has been accepted. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

const BURST_MS = 50;
const AGAIN_MS = 200;
const BUFFER_SECONDS = 1;

/**
 * @param options.send - resolves when all are accepted; else they are sent once more
 * @param options.atMost - so many at once
 */
export function createSteadySource(options: {
  perSecond: number;
  atMost: number;
  send(messages: readonly NumberedMessage[]): Promise<void>;
  close(): Promise<void>;
  /** RocketMQ takes no empty bodies. */
  isNeverEmpty?: boolean;
}): SteadySource {
  const sent: NumberedMessage[] = [];
  const outbox: NumberedMessage[] = [];
  let made = 0;
  let left = 0;
  let perSecond = 0;
  let lastMs = Date.now();
  let isClosed = false;

  function make(): void {
    const nowMs = Date.now();
    const due = Math.floor(((nowMs - lastMs) * perSecond) / 1_000);
    if (due === 0) return;
    // The rest of the time is no whole message yet.
    lastMs += (due * 1_000) / perSecond;
    const room = Math.ceil(perSecond * BUFFER_SECONDS) - outbox.length;
    for (let count = Math.min(due, room, left); count > 0; count -= 1) {
      const message = numberedMessage(made);
      made += 1;
      left -= 1;
      const isEmpty = options.isNeverEmpty === true && message.payload.length === 0;
      outbox.push(isEmpty ? { ...message, payload: Buffer.of(0) } : message);
    }
  }

  async function work(): Promise<void> {
    while (!isClosed) {
      make();
      const batch = outbox.slice(0, options.atMost);
      if (batch.length === 0) {
        await delay(BURST_MS);
        continue;
      }
      try {
        await options.send(batch);
        sent.push(...batch);
        outbox.splice(0, batch.length);
      } catch {
        // Its broker is away, or refuses: what may be stored all the same is sent again.
        await delay(AGAIN_MS);
      }
    }
  }
  const working = work();

  return {
    sent,
    start(rate = options.perSecond, most = Number.POSITIVE_INFINITY) {
      lastMs = Date.now();
      left = most;
      perSecond = rate;
    },
    async pause() {
      perSecond = 0;
      while (outbox.length > 0 && !isClosed) await delay(BURST_MS);
    },
    async close() {
      isClosed = true;
      await options.close();
      await working;
    },
  };
}

import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageConsumer, ReceivedMessage } from '../../ports/message-consumer.ts';

/**
 * How long a message is ours when it is received: most are settled in a moment, and what a lost answer or a killed lane took with it
 * comes again after this. Of a FIFO topic everything waits for it, so that it is shorter than what RocketMQ may be away for and be back
 * within 5 s.
 */
export const RECEIVED_MS = 15_000;
/** One that waits longer than that is extended: from then on it is ours for so long at a time. */
export const INVISIBLE_MS = 30_000;
/** At least three tries before its time ends. */
const FIRST_EXTEND_AFTER_MS = 5_000;
const EXTEND_AFTER_MS = 8_000;
const LOOK_EVERY_MS = 2_000;

/**
 * Messages received and not yet acknowledged. While the target is away they are kept ours by extending their invisible time,
 * which costs no delivery attempt: letting one lapse would, and RocketMQ itself takes a message away after enough of them
 * (protocol-design-rule 15).
 */
export interface HeldMessages {
  readonly size: number;
  /** Of their bodies. */
  readonly bytes: number;
  add(messages: readonly ReceivedMessage[]): void;
  remove(message: ReceivedMessage): void;
  /**
   * They are settled, and about to be acknowledged: not extended or handed back any more. Resolves when no extension is under
   * way, whose new receipt would outlive the acknowledgement of the old one.
   */
  settle(messages: readonly ReceivedMessage[]): Promise<void>;
  /** False once its time has run out: then it comes again, to whomever. */
  isOurs(message: ReceivedMessage): boolean;
  /** Extends what is due, each few seconds, until the signal aborts. */
  keep(signal: AbortSignal): Promise<void>;
  /** Lets everything that is left come again soon. */
  letGo(soonMs: number): Promise<void>;
}

export function createHeldMessages({
  consumer,
  clock,
  logger,
}: {
  consumer: Pick<MessageConsumer, 'changeInvisibleDuration'>;
  clock: Clock;
  logger: Logger;
}): HeldMessages {
  /** Epoch ms from which each is to be extended, and until which it is ours. */
  const times = new Map<ReceivedMessage, { dueAtMs: number; untilMs: number }>();
  const settled = new Set<ReceivedMessage>();
  let extending: Promise<void> | undefined;
  let bytes = 0;

  async function extend(messages: readonly ReceivedMessage[], durationMs: number): Promise<void> {
    const nowMs = clock.now();
    const answers = await consumer.changeInvisibleDuration(messages, durationMs);
    messages.forEach((message, index) => {
      if (answers[index] === true && times.has(message))
        times.set(message, { dueAtMs: nowMs + EXTEND_AFTER_MS, untilMs: nowMs + durationMs });
    });
  }

  return {
    get size() {
      return times.size;
    },
    get bytes() {
      return bytes;
    },
    async settle(messages) {
      for (const message of messages) settled.add(message);
      await extending;
    },
    add(messages) {
      const nowMs = clock.now();
      for (const message of messages) {
        times.set(message, { dueAtMs: nowMs + FIRST_EXTEND_AFTER_MS, untilMs: nowMs + RECEIVED_MS });
        bytes += message.body.length;
      }
    },
    remove(message) {
      if (times.delete(message)) bytes -= message.body.length;
      settled.delete(message);
    },
    isOurs: (message) => clock.now() < (times.get(message)?.untilMs ?? Number.NEGATIVE_INFINITY),

    async keep(signal) {
      while (!signal.aborted) {
        await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
        const nowMs = clock.now();
        const due = [...times]
          .filter(([message, { dueAtMs }]) => dueAtMs <= nowMs && !settled.has(message))
          .map(([message]) => message);
        if (due.length === 0 || signal.aborted) continue;
        extending = extend(due, INVISIBLE_MS).catch((error: unknown) => {
          // What could not be extended lapses: it comes again, as after any failure here.
          logger.warn('held messages not extended', { messages: due.length, error });
        });
        await extending;
        extending = undefined;
      }
    },

    async letGo(soonMs) {
      const left = [...times.keys()].filter((message) => !settled.has(message));
      times.clear();
      bytes = 0;
      settled.clear();
      if (left.length === 0) return;
      await consumer.changeInvisibleDuration(left, soonMs).catch((error: unknown) => {
        logger.warn('held messages not handed back', { messages: left.length, error });
      });
    },
  };
}

import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';

/** A message as it lies in a queue: what is the same at each of its deliveries. */
export interface StoredMessage {
  message: RocketmqMessage;
  messageId: string;
  brokerName: string;
  queueId: number;
  queueOffset: number;
  bornTimeMs: number;
  isCorrupted: boolean;
}

interface Delivery {
  stored: StoredMessage;
  attempt: number;
  /** Ours until then. */
  visibleAtMs: number;
  isAcked: boolean;
  receiptHandle: string;
}

/** What one pop asks for. */
export interface Pop {
  maxMessages: number;
  invisibleDurationMs: number;
  nowMs: number;
  matches(message: RocketmqMessage): boolean;
}

/** One queue as one consumer group pops it. */
export interface PopQueue {
  pop(pop: Pop): ReceivedMessage[];
  /** False: the receipt is not, or no longer, valid. Acknowledging twice is as good as once. */
  ack(receiptHandle: string, nowMs: number): boolean;
  /** The new receipt handle; undefined: the old one is not valid. */
  changeInvisible(receiptHandle: string, durationMs: number, nowMs: number): string | undefined;
  /** When what is invisible now can be popped next. */
  nextVisibleMs(): number;
  /** Not yet acknowledged, whether delivered or not. */
  rest(): readonly StoredMessage[];
}

export interface PopQueueOptions {
  /** The queue itself; grows while it is popped. */
  log: readonly StoredMessage[];
  /** One batch in flight, and of a batch only the acknowledged prefix counts. */
  isFifo: boolean;
  /** A message delivered once more often than this is taken away. */
  retryMaxTimes: number;
  nextReceiptHandle(): string;
  onDeadLetter(stored: StoredMessage): void;
}

/**
 * Keeps the rules of POP: a message not acknowledged in its invisible time comes again, counted. A FIFO queue is locked
 * while any of its messages is out; then everything behind the acknowledged prefix comes again, acknowledged or not,
 * and its attempts stay at 1.
 */
export function createPopQueue(options: PopQueueOptions): PopQueue {
  const { log, isFifo, retryMaxTimes, nextReceiptHandle, onDeadLetter } = options;
  const deliveries = new Map<number, Delivery>();
  const receipts = new Map<string, Delivery>();
  let nextOffset = 0;

  function deliver(stored: StoredMessage, attempt: number, pop: Pop): ReceivedMessage {
    const receiptHandle = nextReceiptHandle();
    const visibleAtMs = pop.nowMs + pop.invisibleDurationMs;
    const delivery = { stored, attempt, visibleAtMs, isAcked: false, receiptHandle };
    deliveries.set(stored.queueOffset, delivery);
    receipts.set(receiptHandle, delivery);
    const { message, ...where } = stored;
    return { ...message, ...where, receiptHandle, deliveryAttempt: attempt };
  }

  function popNew(pop: Pop, room: number): ReceivedMessage[] {
    const popped: ReceivedMessage[] = [];
    for (; popped.length < room; nextOffset += 1) {
      const stored = log[nextOffset];
      if (stored === undefined) break;
      if (pop.matches(stored.message)) popped.push(deliver(stored, 1, pop));
    }
    return popped;
  }

  function popAgain(pop: Pop): ReceivedMessage[] {
    const popped: ReceivedMessage[] = [];
    for (const { stored, attempt, isAcked, visibleAtMs, receiptHandle } of [...deliveries.values()]) {
      if (visibleAtMs > pop.nowMs || popped.length >= pop.maxMessages) continue;
      deliveries.delete(stored.queueOffset);
      receipts.delete(receiptHandle);
      if (isAcked) continue;
      if (attempt > retryMaxTimes) onDeadLetter(stored);
      else popped.push(deliver(stored, attempt + 1, pop));
    }
    return popped;
  }

  /** False while the lock of the queue is held. Otherwise what follows the acknowledged prefix is to be delivered anew. */
  function unlocked(nowMs: number): boolean {
    const out = [...deliveries.values()].filter(({ isAcked }) => !isAcked);
    if (out.some(({ visibleAtMs }) => visibleAtMs > nowMs)) return false;
    nextOffset = Math.min(nextOffset, ...out.map(({ stored }) => stored.queueOffset));
    deliveries.clear();
    receipts.clear();
    return true;
  }

  function valid(receiptHandle: string, nowMs: number): Delivery | undefined {
    const delivery = receipts.get(receiptHandle);
    return delivery !== undefined && delivery.visibleAtMs > nowMs ? delivery : undefined;
  }

  return {
    pop(pop) {
      if (isFifo) return unlocked(pop.nowMs) ? popNew(pop, pop.maxMessages) : [];
      const again = popAgain(pop);
      return [...again, ...popNew(pop, pop.maxMessages - again.length)];
    },
    ack(receiptHandle, nowMs) {
      const delivery = valid(receiptHandle, nowMs);
      if (delivery === undefined) return false;
      delivery.isAcked = true;
      return true;
    },
    changeInvisible(receiptHandle, durationMs, nowMs) {
      const delivery = valid(receiptHandle, nowMs);
      if (delivery === undefined || delivery.isAcked) return undefined;
      receipts.delete(receiptHandle);
      delivery.receiptHandle = nextReceiptHandle();
      delivery.visibleAtMs = nowMs + durationMs;
      receipts.set(delivery.receiptHandle, delivery);
      return delivery.receiptHandle;
    },
    nextVisibleMs: () =>
      Math.min(
        ...[...deliveries.values()].flatMap(({ isAcked, visibleAtMs }) => (isAcked ? [] : [visibleAtMs])),
      ),
    rest: () => [
      ...[...deliveries.values()].flatMap(({ stored, isAcked }) => (isAcked ? [] : [stored])),
      ...log.slice(nextOffset),
    ],
  };
}

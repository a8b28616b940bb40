import { BrokerHoldError } from '../../domain/errors/errors.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';
import { createPopQueue, type Pop, type PopQueue, type StoredMessage } from './pop-queue.ts';

const DEFAULT_QUEUES = 4;
const RETRY_MAX_TIMES = 16;

/** What a topic of the memory cluster is. */
export interface MemoryTopic {
  type: 'NORMAL' | 'FIFO';
  /** One broker without it. */
  brokers?: readonly string[];
  /** On each broker; 4 without it. */
  queues?: number;
}

/** Where a message comes from and lies, as far as a test wants to say so. */
export interface PutOptions {
  bornTimeMs?: number;
  isCorrupted?: boolean;
  broker?: string;
  queueId?: number;
}

interface Queue {
  brokerName: string;
  queueId: number;
  log: StoredMessage[];
}

export interface Popped {
  messages: ReceivedMessage[];
  /** When a message that is out comes back at the earliest; infinite: none is out. */
  nextVisibleMs: number;
}

/** One topic with the positions of its consumer groups. */
export interface MemoryPopTopic {
  isFifo: boolean;
  brokers: readonly string[];
  /** The broker that the next receive asks. */
  takeTurn(broker?: string): string;
  put(message: RocketmqMessage, options?: PutOptions): string;
  pop(group: string, broker: string, pop: Pop): Popped;
  ack(group: string, message: ReceivedMessage): boolean;
  changeInvisible(group: string, message: ReceivedMessage, durationMs: number): string | undefined;
  unacknowledged(group: string): RocketmqMessage[];
  deadLetters(group: string): RocketmqMessage[];
}

export interface MemoryPopTopics {
  /** Throws `TOPIC_NOT_FOUND`. */
  of(rocketmqTopic: string): MemoryPopTopic;
}

export function createMemoryPopTopics(options: {
  topics: Readonly<Record<string, MemoryTopic>>;
  nowMs: () => number;
  retryMaxTimes?: number;
}): MemoryPopTopics {
  const { nowMs, retryMaxTimes = RETRY_MAX_TIMES } = options;
  const topics = new Map(
    Object.entries(options.topics).map(([name, topic]) => [
      name,
      createTopic(name, topic, nowMs, retryMaxTimes),
    ]),
  );
  return {
    of(rocketmqTopic) {
      const topic = topics.get(rocketmqTopic);
      if (topic !== undefined) return topic;
      throw new BrokerHoldError(`querying the route: topic ${rocketmqTopic} does not exist`, {
        code: 'TOPIC_NOT_FOUND',
        scope: 'topic',
      });
    },
  };
}

function createTopic(
  name: string,
  { type, brokers = ['broker-0'], queues: queueCount = DEFAULT_QUEUES }: MemoryTopic,
  nowMs: () => number,
  retryMaxTimes: number,
): MemoryPopTopic {
  const queues: Queue[] = brokers.flatMap((brokerName) =>
    Array.from({ length: queueCount }, (_, queueId) => ({ brokerName, queueId, log: [] })),
  );
  const groups = new Map<string, { positions: Map<Queue, PopQueue>; deadLetters: RocketmqMessage[] }>();
  let puts = 0;
  let receipts = 0;
  let turns = 0;

  function groupOf(group: string) {
    const known = groups.get(group);
    if (known !== undefined) return known;
    const deadLetters: RocketmqMessage[] = [];
    const position = (queue: Queue): [Queue, PopQueue] => [
      queue,
      createPopQueue({
        log: queue.log,
        isFifo: type === 'FIFO',
        retryMaxTimes,
        nextReceiptHandle: () => {
          receipts += 1;
          return `receipt-${receipts}`;
        },
        onDeadLetter: ({ message }) => deadLetters.push(message),
      }),
    ];
    const made = { positions: new Map(queues.map(position)), deadLetters };
    groups.set(group, made);
    return made;
  }

  function positionOf(group: string, message: ReceivedMessage): PopQueue | undefined {
    const queue = queues.find(
      ({ brokerName, queueId }) => brokerName === message.brokerName && queueId === message.queueId,
    );
    return queue && groupOf(group).positions.get(queue);
  }

  function queueFor(message: RocketmqMessage, { broker, queueId }: PutOptions): Queue {
    const fitting = queues.filter(
      (queue) =>
        (broker === undefined || queue.brokerName === broker) &&
        (queueId === undefined || queue.queueId === queueId),
    );
    const queue =
      fitting[(message.messageGroup === undefined ? puts : sum(message.messageGroup)) % fitting.length];
    if (queue === undefined)
      throw new TypeError(`topic ${name} has no queue ${broker ?? ''} ${queueId ?? ''}`);
    return queue;
  }

  return {
    isFifo: type === 'FIFO',
    brokers,
    takeTurn(broker) {
      turns += 1;
      return broker ?? brokers[turns % brokers.length] ?? '';
    },
    put(message, options = {}) {
      const { brokerName, queueId, log } = queueFor(message, options);
      puts += 1;
      const messageId = `${name}-${puts}`;
      const { bornTimeMs = nowMs(), isCorrupted = false } = options;
      log.push({ message, messageId, brokerName, queueId, queueOffset: log.length, bornTimeMs, isCorrupted });
      return messageId;
    },
    pop(group, broker, pop) {
      const messages: ReceivedMessage[] = [];
      let nextVisibleMs = Number.POSITIVE_INFINITY;
      for (const [{ brokerName }, position] of groupOf(group).positions) {
        if (brokerName !== broker) continue;
        const room = pop.maxMessages - messages.length;
        if (room > 0) messages.push(...position.pop({ ...pop, maxMessages: room }));
        nextVisibleMs = Math.min(nextVisibleMs, position.nextVisibleMs());
      }
      return { messages, nextVisibleMs };
    },
    ack: (group, message) => positionOf(group, message)?.ack(message.receiptHandle, nowMs()) ?? false,
    changeInvisible: (group, message, durationMs) =>
      positionOf(group, message)?.changeInvisible(message.receiptHandle, durationMs, nowMs()),
    unacknowledged: (group) =>
      [...groupOf(group).positions.values()].flatMap((position) =>
        position.rest().map(({ message }) => message),
      ),
    deadLetters: (group) => groupOf(group).deadLetters,
  };
}

function sum(text: string): number {
  return Buffer.from(text).reduce((total, byte) => total + byte, 0);
}

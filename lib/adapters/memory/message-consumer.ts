import { type BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  AckResult,
  MessageConsumer,
  MessageConsumers,
  ReceivedMessage,
  Subscription,
} from '../../ports/message-consumer.ts';
import type { Pop } from './pop-queue.ts';
import { createMemoryPopTopics, type MemoryTopic, type Popped, type PutOptions } from './pop-topics.ts';

/** A cluster that does not answer is given up after so long. */
const CALL_TIMEOUT_MS = 5_000;
const MAX_MESSAGES = 32;
const MIN_INVISIBLE_MS = 10_000;

export type ConsumerCall = 'receive' | 'ack' | 'change-invisible-duration';

/** What the cluster says to one call: undefined does it. A promise keeps the call waiting, at most until its own bound. */
export type ConsumerVerdict = (
  call: ConsumerCall,
  subscription: Subscription,
) => BridgeError | undefined | Promise<BridgeError | undefined>;

/** What each SQL92 expression passes. */
type Sql92Expressions = Readonly<Record<string, (message: RocketmqMessage) => boolean>>;

export interface MemoryMessageConsumers extends MessageConsumers {
  /** Stores a message of a topic, and answers its id: of a message group always in the same queue, else in turn. */
  put(message: RocketmqMessage, options?: PutOptions): string;
  /** From now on asked for each call, and again for receives that wait: so a cluster throttles, fails, hangs, goes and returns. */
  decide(verdict: ConsumerVerdict): void;
  /** What a group has not acknowledged of a topic, whether delivered or not, in the order of the queues. */
  unacknowledged(rocketmqTopic: string, consumerGroup: string): readonly RocketmqMessage[];
  /** What the cluster has taken away from a group by itself, since it was delivered too often. */
  deadLetters(rocketmqTopic: string, consumerGroup: string): readonly RocketmqMessage[];
  /** How many calls of each kind came. */
  readonly calls: Readonly<Record<ConsumerCall, number>>;
}

/**
 * A RocketMQ cluster in memory with these topics, the same for every cluster record. Its invisible times run on the clock;
 * rules of POP: see pop-queue.ts. Filters by tag; of SQL92 expressions it knows those of `sql92`, and refuses others.
 */
export function createMemoryMessageConsumers(options: {
  clock: Clock;
  topics: Readonly<Record<string, MemoryTopic>>;
  /** Deliveries after the first, before the cluster takes a message away; 16 without it. */
  retryMaxTimes?: number;
  sql92?: Sql92Expressions;
}): MemoryMessageConsumers {
  const { clock, sql92 = {} } = options;
  const topics = createMemoryPopTopics({ ...options, nowMs: () => clock.now() });
  const closing = new AbortController();
  const calls = { receive: 0, ack: 0, 'change-invisible-duration': 0 };
  let verdict: ConsumerVerdict = () => undefined;
  let changed = new AbortController();

  /** Wakes the receives that wait: there may be something for them. */
  function notify(): void {
    changed.abort();
    changed = new AbortController();
  }

  /** The error a call ends with; undefined when it is to be done. */
  async function ask(call: ConsumerCall, subscription: Subscription, signal?: AbortSignal) {
    const answer = verdict(call, subscription);
    if (!(answer instanceof Promise)) return answer;
    const answered = new AbortController();
    const signals = [answered.signal, closing.signal, ...(signal === undefined ? [] : [signal])];
    const late = clock.sleep(CALL_TIMEOUT_MS, AbortSignal.any(signals)).then(
      () => new BrokerUnavailableError(`${call}: no answer in time`, { code: 'TARGET_TIMEOUT' }),
      // Aborted: whoever asked looks at the signals himself.
      () => undefined,
    );
    return Promise.race([answer, late]).finally(() => answered.abort());
  }

  /** Pops until something comes, time is up, the cluster refuses or the signal aborts. */
  async function longPoll(
    subscription: Subscription,
    signal: AbortSignal,
    { maxMessages, invisibleDurationMs, awaitMs }: Parameters<MessageConsumer['receive']>[0],
    popOnce: (pop: Omit<Pop, 'matches'>) => Popped,
  ): Promise<ReceivedMessage[]> {
    const room = Math.min(Math.max(maxMessages, 1), MAX_MESSAGES);
    const endMs = clock.now() + awaitMs;
    for (;;) {
      const wakeUp = AbortSignal.any([signal, changed.signal]);
      const error = await ask('receive', subscription, signal);
      if (signal.aborted) return [];
      if (error !== undefined) throw error;
      const nowMs = clock.now();
      const { messages, nextVisibleMs } = popOnce({ maxMessages: room, invisibleDurationMs, nowMs });
      if (messages.length > 0 || nowMs >= endMs) return messages;
      // Woken early: looks again.
      await clock.sleep(Math.min(endMs, nextVisibleMs) - nowMs, wakeUp).catch(() => undefined);
    }
  }

  function open(subscription: Subscription): MessageConsumer {
    const { rocketmqTopic, consumerGroup } = subscription;
    const matches = matcher(subscription, sql92);
    const ended = new AbortController();
    const isOver = () => ended.signal.aborted || closing.signal.aborted;

    async function done<T>(
      call: 'ack' | 'change-invisible-duration',
      fail: (error: BridgeError) => T,
      act: () => T,
    ) {
      calls[call] += 1;
      if (isOver()) return fail(consumerClosed());
      const error = await ask(call, subscription);
      const result = error === undefined ? act() : fail(error);
      notify();
      return result;
    }

    return {
      isFifo: async () => topics.of(rocketmqTopic).isFifo,
      brokers: async () => topics.of(rocketmqTopic).brokers,
      async receive({ broker, ...wanted }) {
        calls.receive += 1;
        if (isOver()) throw consumerClosed();
        const refused = refusal(matches, wanted.invisibleDurationMs);
        if (refused !== undefined) throw refused;
        const topic = topics.of(rocketmqTopic);
        const from = topic.takeTurn(broker);
        const signals = [ended.signal, closing.signal, ...(wanted.signal ? [wanted.signal] : [])];
        return longPoll(subscription, AbortSignal.any(signals), wanted, (pop) =>
          topic.pop(consumerGroup, from, { ...pop, matches: matches ?? (() => false) }),
        );
      },
      ack: (messages) =>
        done<AckResult[]>(
          'ack',
          (error) => messages.map(() => ({ status: 'failed', error })),
          () =>
            messages.map((message) => ({
              status: topics.of(rocketmqTopic).ack(consumerGroup, message) ? 'acked' : 'expired',
            })),
        ),
      changeInvisibleDuration: (messages, invisibleDurationMs) =>
        done<boolean[]>(
          'change-invisible-duration',
          () => messages.map(() => false),
          () =>
            messages.map((message) => {
              const handle = topics
                .of(rocketmqTopic)
                .changeInvisible(consumerGroup, message, invisibleDurationMs);
              if (handle !== undefined) message.receiptHandle = handle;
              return handle !== undefined;
            }),
        ),
      close: async () => ended.abort(),
    };
  }

  return {
    open: async (_, subscription) => open(subscription),
    put(message, given) {
      const messageId = topics.of(message.rocketmqTopic).put(message, given);
      notify();
      return messageId;
    },
    decide(next) {
      verdict = next;
      notify();
    },
    unacknowledged: (rocketmqTopic, group) => topics.of(rocketmqTopic).unacknowledged(group),
    deadLetters: (rocketmqTopic, group) => topics.of(rocketmqTopic).deadLetters(group),
    calls,
    close: async () => closing.abort(),
  };
}

/** Undefined: the cluster refuses the expression. */
function matcher(
  { filter: { type, expression } }: Subscription,
  sql92: Sql92Expressions,
): ((message: RocketmqMessage) => boolean) | undefined {
  if (type === 'sql92') return sql92[expression];
  if (expression.trim() === '*') return () => true;
  const tags = new Set(expression.split('||').map((tag) => tag.trim()));
  return ({ tag }) => tag !== undefined && tags.has(tag);
}

function refusal(matches: unknown, invisibleDurationMs: number): BridgeError | undefined {
  if (matches === undefined) return illegal('FILTER_INVALID', 'topic', 'illegal filter expression');
  if (invisibleDurationMs >= MIN_INVISIBLE_MS) return undefined;
  return illegal('CONSUMER_SETTINGS_INVALID', 'cluster', 'illegal invisible time');
}

function illegal(code: string, scope: 'topic' | 'cluster', text: string): BridgeError {
  return new BrokerHoldError(`receiving from RocketMQ: ${text}`, { code, scope });
}

function consumerClosed(): BridgeError {
  return new BrokerUnavailableError('the consumer is closed', { code: 'CONSUMER_CLOSED' });
}

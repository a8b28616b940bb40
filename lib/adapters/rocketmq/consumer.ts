import { randomUUID } from 'node:crypto';
import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  AckResult,
  MessageConsumer,
  ReceivedMessage,
  Subscription,
} from '../../ports/message-consumer.ts';
import type { ClusterLink } from './cluster-link.ts';
import type { ClusterPool } from './cluster-pool.ts';
import { ConsumerSession } from './consumer-session.ts';
import { consumerClosed, errorOfCall, errorOfSource } from './errors.ts';
import { newClientId } from './proxies.ts';
import { acknowledge, changeInvisible, type ReceiptCalls } from './receipts.ts';
import { receiveOnce, SETTINGS_LOST_CODE } from './receive.ts';
import type { TopicRoute } from './routes.ts';
import type { RouteBroker } from './wire.ts';

/** A proxy waits 2 s for its broker; beyond that and some network an answer does not come any more. */
const REQUEST_TIMEOUT_MS = 5_000;
/** A cluster that swallows acknowledgements is known as away within 5 s. */
const RECEIPT_TIMEOUT_MS = 4_000;
/** A proxy polls no shorter than 5 s and no longer than 20 s, whatever it is asked for. */
const MIN_POLLING_MS = 5_000;
const MAX_POLLING_MS = 20_000;
/**
 * A poll may rest without an answer for seconds, whether the proxy lives or not. When it has rested for so long the proxy is asked,
 * and has so long to answer: one that hangs, and a flow dropped without a sign, are told within 5 s.
 */
const ASK_AFTER_MS = 2_000;
const ANSWER_MS = 2_500;
/** What the proxy clamps to. */
const MAX_MESSAGES = 32;

export interface RocketmqConsumerOptions {
  pool: ClusterPool<ClusterLink>;
  cluster: RocketmqClusterRecord;
  subscription: Subscription;
  clock: Clock;
  onClose(): void;
}

type ReceiveOptions = Parameters<MessageConsumer['receive']>[0];

/** A receive under way. */
interface Receiving extends ReceiveOptions {
  /** Aborts for the caller and for `close`. */
  signal: AbortSignal;
  /** What has come so far. */
  messages: ReceivedMessage[];
}

/** Receives from one topic of a RocketMQ 5 cluster over gRPC. Holds a session with each proxy that it receives from. */
export class RocketmqConsumer implements MessageConsumer {
  readonly #options: RocketmqConsumerOptions;
  /** Settings belong to a client id: consumers that shared one would overwrite each other's. */
  readonly #clientId = newClientId();
  readonly #closing = new AbortController();
  /** By endpoint, over `#link`. */
  readonly #sessions = new Map<string, ConsumerSession>();
  /** FIFO, by broker: the attempt that ended without an answer; made again, it is not locked out by itself. */
  readonly #attempts = new Map<string, string>();
  #link: ClusterLink | undefined;
  /** As the last route had them: receipts go back by the way their messages came. */
  #readers: readonly RouteBroker[] = [];
  #turn = 0;

  constructor(options: RocketmqConsumerOptions) {
    this.#options = options;
  }

  async isFifo(): Promise<boolean> {
    return keepsOrder(await this.#run((link) => this.#route(link)));
  }

  async brokers(): Promise<readonly string[]> {
    const { readers } = await this.#run((link) => this.#route(link));
    return readers.map(({ name }) => name);
  }

  async receive(options: ReceiveOptions): Promise<ReceivedMessage[]> {
    if (this.#closing.signal.aborted) throw consumerClosed();
    if (options.signal?.aborted) return [];
    const messages: ReceivedMessage[] = [];
    const stop = new AbortController();
    const stopped = Promise.withResolvers<void>();
    const end = () => {
      stop.abort();
      stopped.resolve();
    };
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])];
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
    try {
      const receiving = { ...options, signal: stop.signal, messages };
      await Promise.race([this.#run((link) => this.#receive(link, receiving)), stopped.promise]);
    } catch (error) {
      // What came is whole; an error that stays comes again with the next receive.
      if (messages.length === 0) throw error;
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', end);
    }
    return messages;
  }

  async ack(messages: readonly ReceivedMessage[]): Promise<AckResult[]> {
    const results = new Map<ReceivedMessage, AckResult>();
    try {
      if (this.#closing.signal.aborted) throw consumerClosed();
      if (messages.length > 0) {
        await this.#run((link) => acknowledge(this.#receiptCalls(link), messages, results));
      }
    } catch (cause) {
      const error = errorOfCall(cause, 'ack');
      for (const message of messages) {
        if (!results.has(message)) results.set(message, { status: 'failed', error });
      }
    }
    return messages.flatMap((message) => results.get(message) ?? []);
  }

  async changeInvisibleDuration(
    messages: readonly ReceivedMessage[],
    invisibleDurationMs: number,
  ): Promise<boolean[]> {
    const changed = new Set<ReceivedMessage>();
    if (!this.#closing.signal.aborted && messages.length > 0) {
      await this.#run((link) => {
        const rest = messages.filter((message) => !changed.has(message));
        return changeInvisible(this.#receiptCalls(link), rest, invisibleDurationMs, changed);
        // Whatever it was: the rest may not be ours any longer, which is the answer.
      }).catch(() => undefined);
    }
    return messages.map((message) => changed.has(message));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.close()));
    this.#options.onClose();
  }

  async #receive(link: ClusterLink, receiving: Receiving): Promise<void> {
    const route = await this.#route(link);
    const broker = this.#brokerOf(route, receiving.broker);
    const session = this.#sessionWith(link, broker.endpoint);
    try {
      await this.#introduced(session, keepsOrder(route));
      await this.#ask(link, broker, session, keepsOrder(route), receiving).catch(async (error: unknown) => {
        const isLost = error instanceof BridgeError && error.code === SETTINGS_LOST_CODE;
        if (!isLost || receiving.signal.aborted) throw error;
        session.forget();
        await this.#introduced(session, keepsOrder(route));
        await this.#ask(link, broker, session, keepsOrder(route), receiving);
      });
      session.heard();
    } catch (error) {
      // The topic may have moved.
      link.routes.forget(this.#options.subscription.rocketmqTopic);
      throw error;
    }
  }

  async #introduced(session: ConsumerSession, isFifo: boolean): Promise<void> {
    const { isOrderlyGroup } = await session.introduce();
    if (isFifo && !isOrderlyGroup) throw groupNotOrderly(this.#options.subscription);
  }

  async #ask(
    link: ClusterLink,
    { name, endpoint }: RouteBroker,
    session: ConsumerSession,
    isFifo: boolean,
    { maxMessages, invisibleDurationMs, awaitMs, signal, messages, onSilent }: Receiving,
  ): Promise<void> {
    const { subscription, clock } = this.#options;
    const attemptId = isFifo ? (this.#attempts.get(name) ?? randomUUID()) : undefined;
    if (attemptId !== undefined) this.#attempts.set(name, attemptId);
    const pollingMs = Math.min(awaitMs, MAX_POLLING_MS);
    let isAnswered = false;
    let isOver = false;
    const asking = setTimeout(() => {
      void session.isAnswered(ANSWER_MS).then((isAlive) => {
        if (!isAlive && !isOver && !signal.aborted) onSilent?.(silent());
      });
    }, ASK_AFTER_MS);
    try {
      await receiveOnce({
        link,
        endpoint,
        clientId: this.#clientId,
        subscription,
        request: {
          brokerName: name,
          maxMessages: Math.min(Math.max(maxMessages, 1), MAX_MESSAGES),
          invisibleDurationMs,
          awaitMs: pollingMs,
          ...(attemptId === undefined ? {} : { attemptId }),
        },
        deadlineMs: clock.now() + Math.max(pollingMs, MIN_POLLING_MS) + REQUEST_TIMEOUT_MS,
        signal,
        messages,
      });
      isAnswered = !signal.aborted;
    } finally {
      isOver = true;
      clearTimeout(asking);
      if (isAnswered || messages.length > 0) this.#attempts.delete(name);
    }
  }

  async #run<R>(work: (link: ClusterLink) => Promise<R>): Promise<R> {
    const { pool, cluster } = this.#options;
    try {
      return await pool.run(cluster, work);
    } catch (error) {
      throw errorOfSource(errorOfCall(error, 'receive'));
    }
  }

  async #route(link: ClusterLink): Promise<TopicRoute> {
    const { subscription, clock } = this.#options;
    const { rocketmqTopic } = subscription;
    const route = await link.routes.routeOf(rocketmqTopic, clock.now() + REQUEST_TIMEOUT_MS);
    if (route.readers.length > 0) {
      this.#readers = route.readers;
      return route;
    }
    link.routes.forget(rocketmqTopic);
    throw new BrokerHoldError(`querying the route: topic ${rocketmqTopic} has no readable queue`, {
      code: 'TOPIC_NOT_READABLE',
      scope: 'topic',
      hint: 'Give the topic read permission and at least one read queue on the cluster.',
    });
  }

  #brokerOf({ readers }: TopicRoute, wanted: string | undefined): RouteBroker {
    if (wanted === undefined) this.#turn += 1;
    const broker =
      wanted === undefined
        ? readers[this.#turn % readers.length]
        : readers.find(({ name }) => name === wanted);
    if (broker !== undefined) return broker;
    throw new BrokerUnavailableError(`receiving from RocketMQ: the topic has no broker ${wanted}`, {
      code: 'BROKER_NOT_IN_ROUTE',
    });
  }

  #sessionWith(link: ClusterLink, endpoint: string): ConsumerSession {
    if (this.#link !== link) {
      for (const session of this.#sessions.values()) session.leave();
      this.#sessions.clear();
      this.#link = link;
    }
    const { subscription, clock } = this.#options;
    const session =
      this.#sessions.get(endpoint) ??
      new ConsumerSession({ link, endpoint, clientId: this.#clientId, subscription, clock });
    this.#sessions.set(endpoint, session);
    return session;
  }

  #receiptCalls(link: ClusterLink): ReceiptCalls {
    const { subscription, clock } = this.#options;
    const deadlineMs = clock.now() + RECEIPT_TIMEOUT_MS;
    return {
      link,
      subscription,
      endpointOf: (brokerName) =>
        this.#readers.find(({ name }) => name === brokerName)?.endpoint ?? link.endpoint,
      call: (endpoint, method, request) =>
        link.proxies.unary(endpoint, method, request, { deadlineMs, clientId: this.#clientId }),
    };
  }
}

function keepsOrder({ accepts }: TopicRoute): boolean {
  return accepts.has('FIFO');
}

function silent(): BridgeError {
  return new BrokerUnavailableError('receiving from RocketMQ: the proxy has fallen silent', {
    code: 'TARGET_TIMEOUT',
  });
}

function groupNotOrderly({ consumerGroup, rocketmqTopic }: Subscription): BridgeError {
  return new BrokerHoldError(
    `receiving from RocketMQ: the consumer group ${consumerGroup} would not keep the order of ${rocketmqTopic}`,
    {
      code: 'CONSUMER_GROUP_NOT_ORDERLY',
      scope: 'topic',
      hint: 'Make the consumer group an orderly one on the cluster (consumeMessageOrderly, updateSubGroup -o true).',
    },
  );
}

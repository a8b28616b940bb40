import type { RocketmqClusterRecord } from '../domain/clusters/cluster.ts';
import type { BridgeError } from '../domain/errors/errors.ts';
import type { RocketmqMessage } from '../domain/messages/message.ts';

/** What became of one message. `failed` never means *surely not stored*: see `error.maybeStored`. */
export type SendResult = { status: 'stored'; messageId: string } | { status: 'failed'; error: BridgeError };

export interface SendOptions {
  /** Epoch milliseconds by which an answer is needed. No attempt is begun later. */
  deadlineMs: number;
}

/**
 * Sends messages to one RocketMQ cluster. One attempt for each message: retrying is the caller's decision.
 *
 * @example
 * const results = await producer.send('charger_status', messages, { deadlineMs: Date.now() + 5_000 });
 */
export interface MessageProducer {
  /**
   * Sends messages to one topic and answers one result for each, in the order of `messages`. Never throws for what a
   * message, the topic or the cluster did; throws only on misuse (closed producer, a message of another topic).
   *
   * NORMAL topics: many messages per request, all into one queue. FIFO topics: single sends, groups side by side, each
   * group in the order of `messages`, and after the first failure of a group the rest of that group fails unsent.
   * The topic's type is asked from the cluster's route, never assumed.
   */
  send(
    rocketmqTopic: string,
    messages: readonly RocketmqMessage[],
    options: SendOptions,
  ): Promise<SendResult[]>;
  /**
   * Asks for the topic, and sends nothing: the cluster is reached, lets us in and has the topic, for writing. Throws a
   * `BridgeError` when it is not so, or not known by `deadlineMs`.
   */
  check(rocketmqTopic: string, deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Producers kept warm between invocations: one per cluster and version of its record. */
export interface ProducerPool {
  /** Throws a `BridgeError` when the secret cannot be read. */
  producerFor(cluster: RocketmqClusterRecord): Promise<MessageProducer>;
  close(): Promise<void>;
}

import type { RocketmqClusterRecord } from '../domain/clusters/cluster.ts';
import type { BridgeError } from '../domain/errors/errors.ts';
import type { RocketmqMessage } from '../domain/messages/message.ts';

/** A message as POP hands it over: ours until its invisible time ends. */
export interface ReceivedMessage extends RocketmqMessage {
  messageId: string;
  /** Names this receipt; `changeInvisibleDuration` writes the new one here. */
  receiptHandle: string;
  /** 1 at the first delivery. FIFO topics: stays 1 at redeliveries, so who needs it counts for himself. */
  deliveryAttempt: number;
  /** Broker and queue it lies in: FIFO messages are acknowledged in order within these. NORMAL redeliveries lie in a retry topic. */
  brokerName: string;
  queueId: number;
  queueOffset: number;
  /** Epoch milliseconds, clock of the producer. */
  bornTimeMs: number;
  /** The body does not have the digest that its producer gave it, or could not be unpacked. */
  isCorrupted: boolean;
}

/** What became of one acknowledgement. `expired`: the invisible time was over, so a redelivery is certain. */
export type AckResult =
  | { status: 'acked' }
  | { status: 'expired' }
  | { status: 'failed'; error: BridgeError };

/** What a consumer reads. */
export interface Subscription {
  rocketmqTopic: string;
  consumerGroup: string;
  filter: { type: 'tag' | 'sql92'; expression: string };
}

/**
 * Receives from one topic by POP. Every call throws `BridgeError`s only, and never outlives its own bound.
 *
 * @example
 * const messages = await consumer.receive({ maxMessages: 32, invisibleDurationMs: 60_000, awaitMs: 5_000 });
 * const results = await consumer.ack(messages);
 */
export interface MessageConsumer {
  /** Whether the topic keeps an order, by the cluster's route. */
  isFifo(): Promise<boolean>;
  /** Names of the brokers that can be received from, at least one; FIFO: one receive at a time for each. */
  brokers(): Promise<readonly string[]>;
  /**
   * One long poll. Empty when nothing came within `awaitMs`, or when the signal aborts. What an aborted call may have been
   * handed comes again after its invisible time. Once closed: throws `CONSUMER_CLOSED`.
   *
   * @param options.maxMessages - 1 to 32, as the proxy takes it
   * @param options.invisibleDurationMs - 10 s to 12 h, as the proxy takes it
   * @param options.awaitMs - at most 20 s; a proxy of Apache RocketMQ waits 5 s at least unless it is set to less
   * @param options.broker - one of `brokers()`; absent: they take turns
   * @param options.onSilent - the proxy does not answer anything just now; the poll goes on, since it may only be slow
   */
  receive(options: {
    maxMessages: number;
    invisibleDurationMs: number;
    awaitMs: number;
    broker?: string;
    signal?: AbortSignal;
    onSilent?: (error: BridgeError) => void;
  }): Promise<ReceivedMessage[]>;
  /** One request for all; one result for each, in order. Never throws for what the cluster did. */
  ack(messages: readonly ReceivedMessage[]): Promise<AckResult[]>;
  /**
   * Keeps messages ours for so long from now on; costs no delivery attempt. One boolean for each: false = it is no
   * longer ours, or no answer came. Updates their receipt handles.
   */
  changeInvisibleDuration(
    messages: readonly ReceivedMessage[],
    invisibleDurationMs: number,
  ): Promise<boolean[]>;
  /** Receives under way end empty. */
  close(): Promise<void>;
}

/** Makes consumers; connections to one cluster are shared. Throws a `BridgeError` when the secret cannot be read. */
export interface MessageConsumers {
  open(cluster: RocketmqClusterRecord, subscription: Subscription): Promise<MessageConsumer>;
  close(): Promise<void>;
}

import type { Cluster } from '../domain/clusters/cluster.ts';
import type { BridgeError } from '../domain/errors/errors.ts';
import type { OutgoingMqttMessage } from '../domain/messages/message.ts';

/** A cluster that speaks MQTT. */
export type MqttClusterRecord = Extract<Cluster, { kind: 'mqtt' | 'aws-iot' }>;

/** What became of one message. `failed` never means *surely not taken*: see `error.maybeStored`. */
export type PublishResult = { status: 'accepted' } | { status: 'failed'; error: BridgeError };

/** How long one message may take, and whether it may go at all. */
export interface PublishOptions {
  /** Epoch ms. What has not left by then fails with `DEADLINE_PASSED`, and was surely not taken. */
  deadlineMs: number;
  /**
   * From when it leaves it has so many milliseconds to be answered; absent: until `deadlineMs`. Who waits for his turn at a slow
   * target needs both: a target that takes one message after the other is not away.
   */
  answerMs?: number;
  /** Asked when the message is about to leave. False: it does not, and fails with `NOT_SENT`. */
  maySend?: () => boolean;
}

/**
 * Publishes to one MQTT cluster. One attempt for each message: retrying is the caller's decision.
 *
 * @example
 * const result = await publisher.publish(message, { deadlineMs: clock.now() + 20_000, answerMs: 5_000 });
 */
export interface MqttPublisher {
  /**
   * Resolves with `accepted` when the target has taken the message over (QoS 1: PUBACK, QoS 2: PUBCOMP, HTTP: 200; QoS 0:
   * written to the socket). Never throws for what a message or the target did. Over an MQTT connection messages leave in
   * the order of the calls; HTTP keeps no order between calls under way.
   *
   * Calls beyond what the target lets be in flight, or beyond its rate, wait inside, up to their deadline.
   */
  publish(message: OutgoingMqttMessage, options: PublishOptions): Promise<PublishResult>;
  /** Resolves when the target is reached and lets us in; throws the `BridgeError` that says why not. */
  check(deadlineMs: number): Promise<void>;
  /** What is under way fails with `maybeStored`; what never left, and what is published later, with `NOT_SENT`. */
  close(): Promise<void>;
}

/** Makes publishers. Throws a `BridgeError` when the secret cannot be read. */
export interface MqttPublishers {
  /** @param options.clientId - client identifier for MQTT connections; must be used by one publisher at a time */
  open(cluster: MqttClusterRecord, options: { clientId: string }): Promise<MqttPublisher>;
  close(): Promise<void>;
}

import type { MqttMessage } from '../domain/messages/message.ts';

/** An MQTT message as a RocketMQ message carries it. A message that began in RocketMQ has no topic name. */
export type CarriedMqttMessage = Omit<MqttMessage, 'topicName'> & { topicName?: string };

/** What of a RocketMQ message carries an MQTT message; properties out of an envelope are among them. */
export interface Carrier {
  rocketmqTopic: string;
  body: Buffer;
  properties: ReadonlyMap<string, string>;
}

/**
 * The names under which RocketMQ properties carry what MQTT has. What a foreign set has no name for is carried beside it
 * under native names, so that each of them loses nothing.
 */
export interface NameSet {
  /** Every name that is no user property of a sender. */
  readonly wireNames: ReadonlySet<string>;
  /** Tag of messages whose task has none of its own, where consumers of the set ask for one. */
  readonly tag?: string;
  /** Sets everything but user properties. */
  put(properties: Map<string, string>, message: MqttMessage): void;
  putUserProperties(properties: Map<string, string>, message: MqttMessage): void;
  /** Says that the payload is empty, and answers the body that stands for it: RocketMQ's proxy refuses an empty one. */
  putEmpty(properties: Map<string, string>): Buffer;
  /** Counterpart of all that; `WIRE_PROPERTY_INVALID` for a property that somebody has written wrongly. */
  read(carrier: Carrier): CarriedMqttMessage;
}

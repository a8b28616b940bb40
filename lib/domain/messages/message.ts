/** An MQTT 5 user property. Order and repeated names carry meaning [MQTT-3.3.2-17, MQTT-3.3.2-18]. */
export type UserProperty = readonly [name: string, value: string];

/** An MQTT Application Message as far as the path it came by can tell; absent means *not known*, never a default. */
export interface MqttMessage {
  topicName: string;
  payload: Buffer;
  qos?: 0 | 1 | 2;
  retain?: boolean;
  /** Client identifier of the publisher. Known on the rule path only; not part of an MQTT PUBLISH. */
  clientId?: string;
  userProperties: readonly UserProperty[];
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  /** Payload Format Indicator: 0 unspecified bytes, 1 UTF-8 text [MQTT-3.3.2.3.2]. */
  payloadFormat?: 0 | 1;
  /** Message Expiry Interval in seconds, as it was when the message was received. */
  expirySeconds?: number;
}

/** An MQTT message that is about to be published: nothing about its delivery is left open. */
export interface OutgoingMqttMessage extends MqttMessage {
  qos: 0 | 1 | 2;
  retain: boolean;
}

/** A message as it is sent to, or was received from, RocketMQ 5. */
export interface RocketmqMessage {
  rocketmqTopic: string;
  /** Never empty when sent: the proxy refuses empty bodies. */
  body: Buffer;
  tag?: string;
  keys: readonly string[];
  /** FIFO topics: messages of one group stay in order. Fewer than 64 bytes of UTF-8. */
  messageGroup?: string;
  /** User properties; names and values as RocketMQ can hold them. */
  properties: ReadonlyMap<string, string>;
}

/** A message as RocketMQ handed it over, as far as its mapping needs it. */
export interface ReceivedRocketmqMessage extends RocketmqMessage {
  messageId: string;
  /** Epoch milliseconds, clock of the producer. */
  bornTimeMs: number;
}

/** Where and when a message was met on its way; becomes the `mqferry_*` properties. */
export interface Provenance {
  /** Stable where the source allows (aws-iot rule path: `traceid()`). */
  messageId: string;
  /** Tasks that have carried this message, oldest first, the present one not included. */
  path: readonly string[];
  /** Epoch milliseconds at the source, at our receipt, and at sending. */
  sourceTimeMs?: number;
  receiptTimeMs: number;
  sendTimeMs: number;
  /** Id of the dead letter that the message was before it was redriven. */
  redriven?: string;
  /** An earlier sending may have arrived. */
  isResent?: boolean;
}

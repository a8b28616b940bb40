/**
 * Names of RocketMQ properties that carry what an MQTT message has. Underscores, because an SQL92 filter of RocketMQ
 * cannot name a hyphen or a dot. Part of the contract with consumers: docs/mapping.md.
 */
export const MQTT = {
  topic: 'mqtt_topic',
  clientId: 'mqtt_client_id',
  qos: 'mqtt_qos',
  retain: 'mqtt_retain',
  contentType: 'mqtt_content_type',
  responseTopic: 'mqtt_response_topic',
  correlationData: 'mqtt_correlation_data',
  payloadFormat: 'mqtt_payload_format',
  expiry: 'mqtt_expiry',
  /** The payload is empty; the body is a filler of one byte. */
  empty: 'mqtt_empty',
  /** User properties that cannot be a property each, and the order of all. */
  userProperties: 'mqtt_up',
  /** The body begins with properties; see property-envelope.ts. */
  envelope: 'mqtt_env',
} as const;

/** Names of what mqferry adds on the way, in RocketMQ properties and in MQTT user properties alike. */
export const MQFERRY = {
  id: 'mqferry_id',
  path: 'mqferry_path',
  sourceTime: 'mqferry_source_time',
  receiptTime: 'mqferry_receipt_time',
  sendTime: 'mqferry_send_time',
  /** Id of the dead letter that the message was: it may come twice. */
  redriven: 'mqferry_redriven',
  /** An earlier sending of the message may have arrived: it may come twice. */
  resent: 'mqferry_resent',
} as const;

/** Of a canary: the task that it belongs to. Canaries are not mapped, so messages may have a property of that name. */
export const CANARY_NAME = 'mqferry_canary';

/** Names of MQTT user properties that carry what a message had in RocketMQ, where it was born. */
export const RMQ = {
  tag: 'rmq_tag',
  /** Once for each key, in order. */
  keys: 'rmq_keys',
  messageGroup: 'rmq_message_group',
  messageId: 'rmq_message_id',
  topic: 'rmq_topic',
  bornTime: 'rmq_born_time',
  /** Properties that MQTT cannot carry, or whose names are taken here. */
  properties: 'rmq_up',
} as const;

/** Names that ApsaraMQ for MQTT puts on its messages in RocketMQ (its pages on structure mappings and data forwarding). */
export const ALIBABA = {
  topic: 'topic',
  /** The topic name from its second level on, with the slash before. */
  secondTopic: 'mqttSecondTopic',
  clientId: 'clientId',
  qos: 'qoslevel',
  retain: 'mqttRetain',
  contentType: 'mqtt5ContentType',
  /** Seconds, up to 65,535. */
  expiry: 'mqtt5MsgExpireInterval',
  /** JSON: `[{"key":"…","value":"…"},…]`. */
  userProperties: 'mqtt5UserProperty',
} as const;

/** Names that apache/rocketmq-mqtt puts on its messages in RocketMQ (`Constants`, `LmqQueueStoreManager.toMQMessage`). */
export const ROCKETMQ_MQTT = {
  topic: 'originMqttTopic',
  clientId: 'clientId',
  qos: 'qosLevel',
  /** `true` or `false`, always there. */
  empty: 'IS_EMPTY_MSG',
  retryTimes: 'retryTimes',
  /** JSON object of user properties, with the QoS among them. */
  userProperties: 'extData',
} as const;

/** Ending of a name whose value is base64 of the UTF-8 text, since RocketMQ cannot carry the text as it is. */
export const BASE64_SUFFIX = '_b64';

/** A user property is never carried under a name that begins like this. */
export const RESERVED_PREFIXES = ['mqtt_', 'rmq_', 'mqferry_', '__'] as const;

const TEXT_NAMES = [MQTT.topic, MQTT.clientId, MQTT.contentType, MQTT.responseTopic];

/** Every name above in every form: what is no user property of the sender. */
export const WIRE_NAMES: ReadonlySet<string> = new Set<string>([
  ...Object.values(MQTT),
  ...Object.values(MQFERRY),
  ...TEXT_NAMES.map((name) => name + BASE64_SUFFIX),
]);

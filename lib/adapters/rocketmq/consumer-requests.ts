import { hostname } from 'node:os';
import type { Subscription } from '../../ports/message-consumer.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { addressScheme } from './wire.ts';

/** Field numbers of `apache.rocketmq.v2`; a test decodes what we write with the generated classes. */
const FIELD = {
  receive: {
    group: 1,
    messageQueue: 2,
    filterExpression: 3,
    batchSize: 4,
    invisibleDuration: 5,
    longPollingTimeout: 7,
    attemptId: 8,
  },
  ack: { group: 1, topic: 2, entries: 3 },
  ackEntry: { messageId: 1, receiptHandle: 2 },
  changeInvisible: { group: 1, topic: 2, receiptHandle: 3, invisibleDuration: 4, messageId: 5 },
  /** Of heartbeat and notice of termination both. */
  client: { group: 1, clientType: 2 },
  telemetry: { settings: 2 },
  settings: { clientType: 1, accessPoint: 2, requestTimeout: 4, subscription: 6, userAgent: 7 },
  subscription: { group: 1, subscriptions: 2 },
  subscriptionEntry: { topic: 1, expression: 2 },
  endpoints: { scheme: 1, addresses: 2 },
  address: { host: 1, port: 2 },
  userAgent: { version: 2, platform: 3, hostname: 4 },
  queue: { topic: 1, broker: 4 },
  broker: { name: 1 },
  resource: { resourceNamespace: 1, name: 2 },
  filter: { type: 1, expression: 2 },
  duration: { seconds: 1, nanos: 2 },
} as const;

/** `apache.rocketmq.v2.ClientType`: SIMPLE_CONSUMER. */
const CLIENT_TYPE = 3;
/** `apache.rocketmq.v2.FilterType`. */
const FILTER_TYPE = { tag: 1, sql92: 2 } as const;
const NANOS_PER_MS = 1_000_000;

export interface ReceiveRequest {
  brokerName: string;
  maxMessages: number;
  invisibleDurationMs: number;
  awaitMs: number;
  /** A FIFO queue hands out again what it handed out to the same attempt, and is not locked against it. */
  attemptId?: string;
}

/** The bytes of a `ReceiveMessageRequest`. The cluster pops all queues of the broker, whatever queue is named. */
export function encodeReceiveRequest(
  { rocketmqTopic, consumerGroup, filter }: Subscription,
  namespace: string,
  request: ReceiveRequest,
): Buffer {
  const writer = new ProtobufWriter(512);
  if (request.attemptId !== undefined) writer.string(FIELD.receive.attemptId, request.attemptId);
  writeDuration(writer, FIELD.receive.longPollingTimeout, request.awaitMs);
  writeDuration(writer, FIELD.receive.invisibleDuration, request.invisibleDurationMs);
  writer.varintField(FIELD.receive.batchSize, request.maxMessages);

  writeFilter(writer, FIELD.receive.filterExpression, filter);

  const queueStart = writer.length;
  writer.string(FIELD.broker.name, request.brokerName);
  writer.prefix(FIELD.queue.broker, queueStart);
  writeResource(writer, FIELD.queue.topic, rocketmqTopic, namespace);
  writer.prefix(FIELD.receive.messageQueue, queueStart);

  writeResource(writer, FIELD.receive.group, consumerGroup, namespace);
  return writer.finish();
}

/** The bytes of an `AckMessageRequest` with an entry for each message. */
export function encodeAckRequest(
  { rocketmqTopic, consumerGroup }: Subscription,
  namespace: string,
  messages: readonly { messageId: string; receiptHandle: string }[],
): Buffer {
  const writer = new ProtobufWriter(256 + messages.length * 256);
  for (const { messageId, receiptHandle } of messages.toReversed()) {
    const start = writer.length;
    writer.string(FIELD.ackEntry.receiptHandle, receiptHandle);
    writer.string(FIELD.ackEntry.messageId, messageId);
    writer.prefix(FIELD.ack.entries, start);
  }
  writeResource(writer, FIELD.ack.topic, rocketmqTopic, namespace);
  writeResource(writer, FIELD.ack.group, consumerGroup, namespace);
  return writer.finish();
}

/** The bytes of a `ChangeInvisibleDurationRequest`. */
export function encodeChangeInvisibleRequest(
  { rocketmqTopic, consumerGroup }: Subscription,
  namespace: string,
  { messageId, receiptHandle }: { messageId: string; receiptHandle: string },
  invisibleDurationMs: number,
): Buffer {
  const writer = new ProtobufWriter(512);
  writer.string(FIELD.changeInvisible.messageId, messageId);
  writeDuration(writer, FIELD.changeInvisible.invisibleDuration, invisibleDurationMs);
  writer.string(FIELD.changeInvisible.receiptHandle, receiptHandle);
  writeResource(writer, FIELD.changeInvisible.topic, rocketmqTopic, namespace);
  writeResource(writer, FIELD.changeInvisible.group, consumerGroup, namespace);
  return writer.finish();
}

/** The bytes of a `HeartbeatRequest`. */
export function encodeHeartbeat({ consumerGroup }: Subscription, namespace: string): Buffer {
  const writer = new ProtobufWriter(128);
  writer.varintField(FIELD.client.clientType, CLIENT_TYPE);
  writeResource(writer, FIELD.client.group, consumerGroup, namespace);
  return writer.finish();
}

/** The bytes of a `NotifyClientTerminationRequest`. */
export function encodeTermination({ consumerGroup }: Subscription, namespace: string): Buffer {
  const writer = new ProtobufWriter(128);
  writeResource(writer, FIELD.client.group, consumerGroup, namespace);
  return writer.finish();
}

/**
 * The bytes of a `TelemetryCommand` with our settings: as what we come, and what we read.
 *
 * @param endpoint host:port by which we know the proxy
 */
export function encodeSettings(
  { rocketmqTopic, consumerGroup, filter }: Subscription,
  namespace: string,
  { endpoint, requestTimeoutMs }: { endpoint: string; requestTimeoutMs: number },
): Buffer {
  const writer = new ProtobufWriter(1024);
  writer.string(FIELD.userAgent.hostname, hostname());
  writer.string(FIELD.userAgent.platform, process.platform);
  writer.string(FIELD.userAgent.version, '5.0.0');
  writer.prefix(FIELD.settings.userAgent, 0);

  const subscriptionStart = writer.length;
  writeFilter(writer, FIELD.subscriptionEntry.expression, filter);
  writeResource(writer, FIELD.subscriptionEntry.topic, rocketmqTopic, namespace);
  writer.prefix(FIELD.subscription.subscriptions, subscriptionStart);
  writeResource(writer, FIELD.subscription.group, consumerGroup, namespace);
  writer.prefix(FIELD.settings.subscription, subscriptionStart);

  writeDuration(writer, FIELD.settings.requestTimeout, requestTimeoutMs);
  const { host, port, scheme } = addressScheme(endpoint);
  const endpointsStart = writer.length;
  writer.varintField(FIELD.address.port, port);
  writer.string(FIELD.address.host, host);
  writer.prefix(FIELD.endpoints.addresses, endpointsStart);
  writer.varintField(FIELD.endpoints.scheme, scheme);
  writer.prefix(FIELD.settings.accessPoint, endpointsStart);
  writer.varintField(FIELD.settings.clientType, CLIENT_TYPE);
  writer.prefix(FIELD.telemetry.settings, 0);
  return writer.finish();
}

function writeFilter(
  writer: ProtobufWriter,
  field: number,
  { type, expression }: Subscription['filter'],
): void {
  const start = writer.length;
  writer.string(FIELD.filter.expression, expression);
  writer.varintField(FIELD.filter.type, FILTER_TYPE[type]);
  writer.prefix(field, start);
}

function writeResource(writer: ProtobufWriter, field: number, name: string, namespace: string): void {
  const start = writer.length;
  writer.string(FIELD.resource.name, name);
  if (namespace !== '') writer.string(FIELD.resource.resourceNamespace, namespace);
  writer.prefix(field, start);
}

function writeDuration(writer: ProtobufWriter, field: number, ms: number): void {
  const start = writer.length;
  writer.varintField(FIELD.duration.nanos, (ms % 1_000) * NANOS_PER_MS);
  writer.varintField(FIELD.duration.seconds, Math.floor(ms / 1_000));
  writer.prefix(field, start);
}

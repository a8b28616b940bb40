import { hostname } from 'node:os';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Field numbers of `apache.rocketmq.v2`; a test decodes what we write with the generated classes. */
const FIELD = {
  request: { messages: 1 },
  message: { topic: 1, userProperties: 2, systemProperties: 3, body: 4 },
  mapEntry: { key: 1, value: 2 },
  resource: { resourceNamespace: 1, name: 2 },
  systemProperties: {
    tag: 1,
    keys: 2,
    messageId: 3,
    bodyEncoding: 5,
    messageType: 6,
    bornTimestamp: 7,
    bornHost: 8,
    messageGroup: 17,
  },
  timestamp: { seconds: 1, nanos: 2 },
} as const;

const ENCODING_IDENTITY = 1;
const MESSAGE_TYPE = { NORMAL: 1, FIFO: 2 } as const;
const NANOS_PER_MS = 1_000_000;

export interface EncodableMessage {
  message: RocketmqMessage;
  messageId: string;
}

/** Turns messages of one topic into the bytes of one `SendMessageRequest`. */
export type SendMessageEncoder = (
  messages: readonly EncodableMessage[],
  type: 'NORMAL' | 'FIFO',
  bornTimeMs: number,
) => Buffer;

/**
 * Encoder for one topic. What all its messages share (topic, born host, encoding, type) is encoded once; properties go
 * from the map to the buffer without an object between.
 */
export function createSendMessageEncoder(rocketmqTopic: string, namespace = ''): SendMessageEncoder {
  const topic = encodeTopic(rocketmqTopic, namespace);
  const bornHost = hostname();
  let bytesPerMessage = 512;

  return (messages, type, bornTimeMs) => {
    const writer = new ProtobufWriter(Math.ceil(messages.length * bytesPerMessage * 1.1));
    const shared = encodeShared(type, bornTimeMs, bornHost);
    for (const entry of messages.toReversed()) writeMessage(writer, entry, topic, shared);
    bytesPerMessage = writer.length / Math.max(messages.length, 1);
    return writer.finish();
  };
}

/** Last field first: the writer goes backwards. */
function writeMessage(
  writer: ProtobufWriter,
  { message, messageId }: EncodableMessage,
  topic: Buffer,
  shared: Buffer,
): void {
  const start = writer.length;
  writer.bytes(FIELD.message.body, message.body);

  const systemStart = writer.length;
  if (message.messageGroup !== undefined) {
    writer.string(FIELD.systemProperties.messageGroup, message.messageGroup);
  }
  writer.raw(shared);
  writer.string(FIELD.systemProperties.messageId, messageId);
  for (const key of message.keys.toReversed()) writer.string(FIELD.systemProperties.keys, key);
  if (message.tag !== undefined) writer.string(FIELD.systemProperties.tag, message.tag);
  writer.prefix(FIELD.message.systemProperties, systemStart);

  for (const [name, value] of message.properties) {
    const entryStart = writer.length;
    writer.string(FIELD.mapEntry.value, value);
    writer.string(FIELD.mapEntry.key, name);
    writer.prefix(FIELD.message.userProperties, entryStart);
  }
  writer.raw(topic);
  writer.prefix(FIELD.request.messages, start);
}

/** System properties that all messages of one request have in common. */
function encodeShared(type: 'NORMAL' | 'FIFO', bornTimeMs: number, bornHost: string): Buffer {
  const writer = new ProtobufWriter(64 + bornHost.length);
  writer.string(FIELD.systemProperties.bornHost, bornHost);
  const timestampStart = writer.length;
  writer.varintField(FIELD.timestamp.nanos, (bornTimeMs % 1_000) * NANOS_PER_MS);
  writer.varintField(FIELD.timestamp.seconds, Math.floor(bornTimeMs / 1_000));
  writer.prefix(FIELD.systemProperties.bornTimestamp, timestampStart);
  writer.varintField(FIELD.systemProperties.messageType, MESSAGE_TYPE[type]);
  writer.varintField(FIELD.systemProperties.bodyEncoding, ENCODING_IDENTITY);
  return writer.finish();
}

function encodeTopic(rocketmqTopic: string, namespace: string): Buffer {
  const writer = new ProtobufWriter(256);
  writer.string(FIELD.resource.name, rocketmqTopic);
  if (namespace !== '') writer.string(FIELD.resource.resourceNamespace, namespace);
  writer.prefix(FIELD.message.topic, 0);
  return writer.finish();
}

import type { ReceivedMessage } from '../../ports/message-consumer.ts';
import { checkBody } from './body-check.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { WireStatus } from './wire.ts';

/** Fields of `apache.rocketmq.v2` as they stand in a tag, with their wire type; a test encodes with the generated classes. */
const field = (number: number) => (number << 3) | 2;
const number = (of: number) => of << 3;
const TAG = {
  response: { status: field(1), message: field(2) },
  status: { code: number(1), text: field(2) },
  message: { userProperties: field(2), systemProperties: field(3), body: field(4) },
  mapEntry: { key: field(1), value: field(2) },
  system: {
    tag: field(1),
    keys: field(2),
    messageId: field(3),
    bodyDigest: field(4),
    bodyEncoding: number(5),
    bornTimestamp: field(7),
    receiptHandle: field(12),
    queueId: number(13),
    queueOffset: number(14),
    deliveryAttempt: number(16),
    messageGroup: field(17),
  },
  digest: { type: number(1), checksum: field(2) },
  timestamp: { seconds: number(1), nanos: number(2) },
} as const;

const EMPTY = Buffer.alloc(0);
const NANOS_PER_MS = 1_000_000;
const FIRST_NEGATIVE = 2 ** 63;

/** What was asked, which an answer does not repeat. */
export interface ReceiveSource {
  rocketmqTopic: string;
  brokerName: string;
}

/** One answer in the stream of a receive; undefined: it says nothing that is needed here. */
export type ReceiveAnswer =
  | { kind: 'message'; message: ReceivedMessage }
  | { kind: 'status'; status: WireStatus }
  | undefined;

/**
 * Decodes one `ReceiveMessageResponse`, from its bytes straight to the message. The body shares their memory. Throws
 * `RangeError` for bytes that are no such response.
 */
export function decodeReceiveAnswer(bytes: Buffer, source: ReceiveSource): ReceiveAnswer {
  const reader = new ProtobufReader(bytes);
  while (reader.position < bytes.length) {
    const tag = reader.varint();
    if (tag === TAG.response.message) {
      return { kind: 'message', message: decodeMessage(reader, reader.end(), source) };
    }
    if (tag === TAG.response.status) return { kind: 'status', status: decodeStatus(reader) };
    reader.skip(tag);
  }
  return undefined;
}

/** A `Status`, read from its length on. */
export function decodeStatus(reader: ProtobufReader): WireStatus {
  const end = reader.end();
  const status = { code: 0, text: '' };
  while (reader.position < end) {
    const tag = reader.varint();
    if (tag === TAG.status.code) status.code = reader.varint();
    else if (tag === TAG.status.text) status.text = reader.string();
    else reader.skip(tag);
  }
  reader.leave(end);
  return status;
}

function decodeMessage(reader: ProtobufReader, end: number, source: ReceiveSource): ReceivedMessage {
  const start = reader.position;
  const bytes = findBody(reader, end);
  reader.position = start;
  const properties = new Map<string, string>();
  const marks = { encoding: 0, digestType: 0, checksum: '' };
  const message: ReceivedMessage = {
    rocketmqTopic: source.rocketmqTopic,
    body: bytes,
    keys: [],
    properties,
    messageId: '',
    receiptHandle: '',
    deliveryAttempt: 1,
    brokerName: source.brokerName,
    queueId: 0,
    queueOffset: 0,
    bornTimeMs: 0,
    isCorrupted: false,
  };
  while (reader.position < end) {
    const tag = reader.varint();
    if (tag === TAG.message.userProperties) readProperty(reader, properties);
    else if (tag === TAG.message.systemProperties) readSystemProperties(reader, message, marks);
    else reader.skip(tag);
  }
  const { body, isCorrupted } = checkBody(bytes, marks);
  message.body = body;
  message.isCorrupted = isCorrupted;
  return message;
}

/** The body comes last as protobuf is written everywhere: what is before it is decoded as one text. */
function findBody(reader: ProtobufReader, end: number): Buffer {
  let body: Buffer = EMPTY;
  let textEnd = end;
  while (reader.position < end) {
    const tag = reader.varint();
    if (tag === TAG.message.body) {
      const bodyEnd = reader.end();
      textEnd = reader.position;
      body = reader.bytes.subarray(reader.position, bodyEnd);
      reader.position = bodyEnd;
    } else reader.skip(tag);
  }
  reader.leave(end);
  reader.cutStringsBefore(textEnd);
  return body;
}

function readProperty(reader: ProtobufReader, properties: Map<string, string>): void {
  const end = reader.end();
  let key = '';
  let value = '';
  while (reader.position < end) {
    const tag = reader.varint();
    if (tag === TAG.mapEntry.key) key = reader.string();
    else if (tag === TAG.mapEntry.value) value = reader.string();
    else reader.skip(tag);
  }
  reader.leave(end);
  properties.set(key, value);
}

type Marks = { encoding: number; digestType: number; checksum: string };

function readSystemProperties(reader: ProtobufReader, message: ReceivedMessage, marks: Marks): void {
  const end = reader.end();
  const keys: string[] = [];
  while (reader.position < end) {
    const tag = reader.varint();
    switch (tag) {
      case TAG.system.tag: {
        const text = reader.string();
        if (text !== '') message.tag = text;
        break;
      }
      case TAG.system.keys:
        keys.push(reader.string());
        break;
      case TAG.system.messageId:
        message.messageId = reader.string();
        break;
      case TAG.system.bodyDigest:
        readDigest(reader, marks);
        break;
      case TAG.system.bodyEncoding:
        marks.encoding = reader.varint();
        break;
      case TAG.system.bornTimestamp:
        message.bornTimeMs = readTimestamp(reader);
        break;
      case TAG.system.receiptHandle:
        message.receiptHandle = reader.string();
        break;
      case TAG.system.queueId:
        message.queueId = reader.varint();
        break;
      case TAG.system.queueOffset:
        message.queueOffset = reader.varint();
        break;
      case TAG.system.deliveryAttempt:
        message.deliveryAttempt = reader.varint();
        break;
      case TAG.system.messageGroup: {
        const text = reader.string();
        if (text !== '') message.messageGroup = text;
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  reader.leave(end);
  message.keys = keys;
}

function readDigest(reader: ProtobufReader, marks: Marks): void {
  const end = reader.end();
  while (reader.position < end) {
    const tag = reader.varint();
    if (tag === TAG.digest.type) marks.digestType = reader.varint();
    else if (tag === TAG.digest.checksum) marks.checksum = reader.string();
    else reader.skip(tag);
  }
  reader.leave(end);
}

function readTimestamp(reader: ProtobufReader): number {
  const end = reader.end();
  let seconds = 0;
  let nanos = 0;
  while (reader.position < end) {
    const tag = reader.varint();
    if (tag === TAG.timestamp.seconds) seconds = reader.varint();
    else if (tag === TAG.timestamp.nanos) nanos = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(end);
  // A producer may claim any time. A negative number is a varint beyond every positive one.
  if (seconds >= FIRST_NEGATIVE || nanos >= FIRST_NEGATIVE) return 0;
  return Math.min(seconds * 1_000 + Math.floor(nanos / NANOS_PER_MS), Number.MAX_SAFE_INTEGER);
}

import type { MqttMessage, UserProperty } from '../../domain/messages/message.ts';
import type { MqttProtocolVersion } from './client-options.ts';
import { textOf } from './session-text.ts';

/** A PUBLISH as it came. */
export interface Publish {
  message: MqttMessage;
  qos: 0 | 1 | 2;
  retain: boolean;
  isDuplicate: boolean;
  /** 0: none, QoS 0 has none. */
  packetId: number;
  /** Lowest of the filters that its subscription identifiers belong to; -1: none. */
  filterIndex: number;
  /** Length of the whole packet. */
  bytes: number;
}

/** What a session knows that its packets do not say. */
export interface PublishContext {
  protocolVersion: MqttProtocolVersion;
  /** By subscription identifier. */
  filterIndexes: ReadonlyMap<number, number>;
}

/** The bytes break the protocol; the connection cannot go on. */
export class MalformedPacketError extends Error {
  override readonly name = 'MalformedPacketError';
}

const RETAIN = 0x01;
const DUP = 0x08;

/** Properties of a PUBLISH, MQTT 5 §3.3.2.3. */
const PAYLOAD_FORMAT_INDICATOR = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const CONTENT_TYPE = 0x03;
const RESPONSE_TOPIC = 0x08;
const CORRELATION_DATA = 0x09;
const SUBSCRIPTION_IDENTIFIER = 0x0b;
const USER_PROPERTY = 0x26;

const NO_USER_PROPERTIES: readonly UserProperty[] = [];

/**
 * Reads a PUBLISH (MQTT 5 §3.3, MQTT 3.1.1 §3.3). The payload is a view on the given bytes. Order and repetition of user
 * properties stay as they are [MQTT-3.3.2-18], which MQTT.js's own parser cannot promise: it makes an object of them.
 *
 * Throws `MalformedPacketError`. A topic alias is one: we never allow any.
 *
 * @param start - of the packet
 * @param bodyStart - behind its fixed header
 * @param end - of the packet
 */
export function readPublish(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  session: PublishContext,
): Publish {
  const flags = bytes[start] ?? 0;
  const qos = (flags >> 1) & 0x03;
  if (qos === 3) throw new MalformedPacketError('a PUBLISH with both QoS bits [MQTT-3.3.1-4]');
  const topicEnd = bodyStart + 2 + uint16(bytes, bodyStart, end);
  if (topicEnd > end || topicEnd === bodyStart + 2) {
    throw new MalformedPacketError('a PUBLISH without a topic name');
  }
  const message: MqttMessage = {
    topicName: textOf(bytes, bodyStart + 2, topicEnd),
    payload: bytes,
    qos: qos as 0 | 1 | 2,
    retain: (flags & RETAIN) !== 0,
    userProperties: NO_USER_PROPERTIES,
  };
  const publish: Publish = {
    message,
    qos: qos as 0 | 1 | 2,
    retain: (flags & RETAIN) !== 0,
    isDuplicate: (flags & DUP) !== 0,
    packetId: qos === 0 ? 0 : uint16(bytes, topicEnd, end),
    filterIndex: -1,
    bytes: end - start,
  };
  if (qos > 0 && publish.packetId === 0) {
    throw new MalformedPacketError('a PUBLISH without packet identifier [MQTT-2.2.1-3]');
  }
  let position = qos === 0 ? topicEnd : topicEnd + 2;
  if (session.protocolVersion === 5) {
    position = readProperties(bytes, position, end, publish, session.filterIndexes);
  }
  message.payload = bytes.subarray(position, end);
  return publish;
}

/** Answers where the payload begins. */
function readProperties(
  bytes: Buffer,
  start: number,
  end: number,
  publish: Publish,
  filterIndexes: ReadonlyMap<number, number>,
): number {
  let position = start + varintSize(bytes, start, end);
  const propertiesEnd = position + varint(bytes, start);
  if (propertiesEnd > end) throw new MalformedPacketError('properties longer than their PUBLISH');
  const { message } = publish;
  let userProperties: UserProperty[] | undefined;
  while (position < propertiesEnd) {
    const property = bytes[position];
    position += 1;
    switch (property) {
      case USER_PROPERTY: {
        const nameEnd = endOfBinary(bytes, position, propertiesEnd);
        const valueEnd = endOfBinary(bytes, nameEnd, propertiesEnd);
        userProperties ??= [];
        userProperties.push([textOf(bytes, position + 2, nameEnd), textOf(bytes, nameEnd + 2, valueEnd)]);
        position = valueEnd;
        break;
      }
      case SUBSCRIPTION_IDENTIFIER: {
        const size = varintSize(bytes, position, propertiesEnd);
        const index = filterIndexes.get(varint(bytes, position)) ?? -1;
        if (index >= 0 && (publish.filterIndex < 0 || index < publish.filterIndex))
          publish.filterIndex = index;
        position += size;
        break;
      }
      case PAYLOAD_FORMAT_INDICATOR:
        need(position + 1, propertiesEnd);
        message.payloadFormat = bytes[position] === 0 ? 0 : 1;
        position += 1;
        break;
      case MESSAGE_EXPIRY_INTERVAL:
        need(position + 4, propertiesEnd);
        message.expirySeconds = bytes.readUInt32BE(position);
        position += 4;
        break;
      case CONTENT_TYPE: {
        const textEnd = endOfBinary(bytes, position, propertiesEnd);
        message.contentType = textOf(bytes, position + 2, textEnd);
        position = textEnd;
        break;
      }
      case RESPONSE_TOPIC: {
        const textEnd = endOfBinary(bytes, position, propertiesEnd);
        message.responseTopic = textOf(bytes, position + 2, textEnd);
        position = textEnd;
        break;
      }
      case CORRELATION_DATA: {
        const dataEnd = endOfBinary(bytes, position, propertiesEnd);
        message.correlationData = bytes.subarray(position + 2, dataEnd);
        position = dataEnd;
        break;
      }
      default:
        throw new MalformedPacketError(`a PUBLISH with property ${property}`);
    }
  }
  if (userProperties !== undefined) message.userProperties = userProperties;
  return propertiesEnd;
}

function endOfBinary(bytes: Buffer, position: number, limit: number): number {
  const end = position + 2 + uint16(bytes, position, limit);
  need(end, limit);
  return end;
}

function uint16(bytes: Buffer, position: number, limit: number): number {
  need(position + 2, limit);
  return bytes.readUInt16BE(position);
}

function need(end: number, limit: number): void {
  if (end > limit) throw new MalformedPacketError('a PUBLISH that ends within a field');
}

/** Size in bytes of a Variable Byte Integer (§1.5.5). */
function varintSize(bytes: Buffer, position: number, limit: number): number {
  for (let size = 1; size <= 4; size += 1) {
    need(position + size, limit);
    if ((bytes[position + size - 1] ?? 0) < 0x80) return size;
  }
  throw new MalformedPacketError('a Variable Byte Integer of more than four bytes');
}

/** Value of one whose size was looked at. */
function varint(bytes: Buffer, position: number): number {
  let value = 0;
  for (let index = 0; ; index += 1) {
    const byte = bytes[position + index] ?? 0;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return value;
  }
}

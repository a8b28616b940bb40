import type { MqttMessage } from '../../lib/domain/messages/message.ts';

/** Packets as a broker writes them, by the letter of the specification and without our code or MQTT.js's. */

export interface PublishFields {
  message: MqttMessage;
  packetId?: number;
  dup?: boolean;
  subscriptionIdentifiers?: readonly number[];
  protocolVersion: 4 | 5;
}

export function publishPacket(fields: PublishFields): Buffer {
  const { message, packetId, dup = false, protocolVersion } = fields;
  const qos = message.qos ?? 0;
  return packetOf(
    0x30 | (dup ? 8 : 0) | (qos << 1) | (message.retain ? 1 : 0),
    text(message.topicName),
    qos > 0 ? uint16(packetId ?? 1) : Buffer.alloc(0),
    protocolVersion === 5 ? sized(varint, propertiesOf(fields)) : Buffer.alloc(0),
    message.payload,
  );
}

export function packetOf(firstByte: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([firstByte]), sized(varint, ...parts)]);
}

function propertiesOf({ message, subscriptionIdentifiers = [] }: PublishFields): Buffer {
  const { payloadFormat, expirySeconds, contentType, responseTopic, correlationData } = message;
  const parts: Buffer[] = subscriptionIdentifiers.map((id) =>
    Buffer.concat([Buffer.from([0x0b]), varint(id)]),
  );
  if (payloadFormat !== undefined) parts.push(Buffer.from([0x01, payloadFormat]));
  if (expirySeconds !== undefined) {
    const interval = Buffer.alloc(5, 0x02);
    interval.writeUInt32BE(expirySeconds, 1);
    parts.push(interval);
  }
  if (contentType !== undefined) parts.push(Buffer.from([0x03]), text(contentType));
  if (responseTopic !== undefined) parts.push(Buffer.from([0x08]), text(responseTopic));
  if (correlationData !== undefined) parts.push(Buffer.from([0x09]), sized(uint16, correlationData));
  for (const [name, value] of message.userProperties)
    parts.push(Buffer.from([0x26]), text(name), text(value));
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  return sized(uint16, Buffer.from(value));
}

function sized(size: (length: number) => Buffer, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([size(body.length), body]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import { BackwardWriter } from '../bytes/backward-writer.ts';
import type { MqttProtocolVersion } from './client-options.ts';

// Identifiers of properties [MQTT5 2.2.2.2].
const PAYLOAD_FORMAT = 0x01;
const MESSAGE_EXPIRY = 0x02;
const CONTENT_TYPE = 0x03;
const RESPONSE_TOPIC = 0x08;
const CORRELATION_DATA = 0x09;
const USER_PROPERTY = 0x26;
/** Packet type 3 in the upper half of the first byte. */
const PUBLISH = 0x30;
const PUBREL = 0x62;
const RETAIN = 0x01;
/** Packet without strings: headers, identifiers and fixed properties. */
const FRAME_BYTES = 48;
/** Of a user property beside its texts: identifier and two lengths. */
const PAIR_BYTES = 5;

/** PINGREQ has no content [MQTT5 3.12]. */
export const PINGREQ = Buffer.from([0xc0, 0x00]);

/**
 * A PUBLISH packet, user properties in their order. MQTT.js would write it in a dozen pieces and keep a deep copy for a
 * resend that is the caller's decision here. On MQTT 3.1.1 the properties are left out: the protocol has none.
 *
 * @param options.packetId - 1 to 65,535; of no meaning for QoS 0
 */
export function encodePublish(
  message: OutgoingMqttMessage,
  options: { packetId: number; qos: 0 | 1 | 2; protocolVersion: MqttProtocolVersion },
): Buffer {
  const { topicName, payload, retain, userProperties } = message;
  const writer = new BackwardWriter(FRAME_BYTES + payload.length + charsOf(message));
  writer.raw(payload);
  if (options.protocolVersion === 5) {
    const before = writer.length;
    writeProperties(writer, message);
    // Most properties of most messages are user properties: last in the loop, so first on the wire.
    for (let at = userProperties.length - 1; at >= 0; at -= 1) {
      const [name = '', value = ''] = userProperties[at] ?? [];
      writeText(writer, value);
      writeText(writer, name);
      writer.byte(USER_PROPERTY);
    }
    writer.varint(writer.length - before);
  }
  if (options.qos > 0) writer.uint16(options.packetId);
  writeText(writer, topicName);
  writer.varint(writer.length);
  writer.byte(PUBLISH | (options.qos << 1) | (retain ? RETAIN : 0));
  return writer.finish();
}

/** The second packet of a QoS 2 publish. */
export function encodePubrel(packetId: number): Buffer {
  return Buffer.from([PUBREL, 2, packetId >> 8, packetId & 0xff]);
}

function writeProperties(writer: BackwardWriter, message: OutgoingMqttMessage): void {
  const { contentType, responseTopic, correlationData, payloadFormat, expirySeconds } = message;
  if (correlationData !== undefined) {
    writer.raw(correlationData);
    writer.uint16(correlationData.length);
    writer.byte(CORRELATION_DATA);
  }
  if (responseTopic !== undefined) {
    writeText(writer, responseTopic);
    writer.byte(RESPONSE_TOPIC);
  }
  if (contentType !== undefined) {
    writeText(writer, contentType);
    writer.byte(CONTENT_TYPE);
  }
  if (expirySeconds !== undefined) {
    writer.uint16(expirySeconds & 0xffff);
    writer.uint16(expirySeconds >>> 16);
    writer.byte(MESSAGE_EXPIRY);
  }
  if (payloadFormat !== undefined) {
    writer.byte(payloadFormat);
    writer.byte(PAYLOAD_FORMAT);
  }
}

function writeText(writer: BackwardWriter, text: string): void {
  const before = writer.length;
  writer.text(text);
  writer.uint16(writer.length - before);
}

/** Characters of all texts: their bytes where they are ASCII, which is what the writer's guess is made for. */
function charsOf(message: OutgoingMqttMessage): number {
  const { topicName, contentType = '', responseTopic = '', correlationData, userProperties } = message;
  let chars = topicName.length + contentType.length + responseTopic.length + (correlationData?.length ?? 0);
  for (const [name, value] of userProperties) chars += name.length + value.length + PAIR_BYTES;
  return chars;
}

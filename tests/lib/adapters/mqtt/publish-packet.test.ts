import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type IPublishPacket, parser } from 'mqtt-packet';
import { encodePublish, encodePubrel } from '../../../../lib/adapters/mqtt/publish-packet.ts';
import type { OutgoingMqttMessage, UserProperty } from '../../../../lib/domain/messages/message.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 100 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const messages: fc.Arbitrary<OutgoingMqttMessage> = fc.record(
  {
    topicName: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
    payload: bytes,
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    userProperties: fc.array(fc.tuple(text, text), { maxLength: 20 }),
    contentType: text,
    responseTopic: text,
    correlationData: bytes,
    payloadFormat: fc.constantFrom(0, 1),
    expirySeconds: fc.nat({ max: 0xffff_ffff }),
  },
  { requiredKeys: ['topicName', 'payload', 'qos', 'retain', 'userProperties'] },
);

describe('encodePublish', () => {
  it('writes what a parser of MQTT 5 reads', () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 65_535 }), (message, packetId) => {
        const encoded = encodePublish(message, { packetId, qos: message.qos, protocolVersion: 5 });
        const packet = parsed(encoded, 5);
        expect(packet).toMatchObject({ qos: message.qos, retain: message.retain, dup: false });
        expect(packet.topic).toBe(message.topicName);
        expect(message.payload.equals(Buffer.from(packet.payload))).toBe(true);
        expect(packet.messageId).toBe(message.qos === 0 ? undefined : packetId);
        const { userProperties: _, payloadFormatIndicator, ...properties } = packet.properties ?? {};
        expect({
          ...properties,
          ...(payloadFormatIndicator === undefined ? {} : { payloadFormat: Number(payloadFormatIndicator) }),
        }).toEqual(propertiesOf(message));
      }),
    );
  });

  it('keeps user properties in their order, across names too', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const encoded = encodePublish(message, { packetId: 1, qos: 1, protocolVersion: 5 });
        expect(userPropertiesIn(encoded)).toEqual(message.userProperties);
      }),
    );
  });

  it('leaves properties out on MQTT 3.1.1', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const packet = parsed(encodePublish(message, { packetId: 7, qos: 1, protocolVersion: 4 }), 4);
        expect(packet).toMatchObject({ topic: message.topicName, messageId: 7, qos: 1 });
        expect(message.payload.equals(Buffer.from(packet.payload))).toBe(true);
      }),
    );
  });
});

describe('encodePubrel', () => {
  it('names the packet', () => {
    expect(parsed(encodePubrel(0x1234), 5)).toMatchObject({ cmd: 'pubrel', messageId: 0x1234 });
  });
});

function parsed(encoded: Buffer, protocolVersion: 4 | 5): IPublishPacket {
  const packets: IPublishPacket[] = [];
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet) => packets.push(packet as IPublishPacket));
  expect(reader.parse(encoded)).toBe(0);
  const [packet] = packets;
  if (packet === undefined) throw new Error('no packet was read');
  return packet;
}

/** The parser groups user properties by name, so they are read here once more: they come first of all properties. */
function userPropertiesIn(encoded: Buffer): UserProperty[] {
  let at = 1;
  const varint = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = encoded[at++] ?? 0;
      value += (byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80) return value;
    }
  };
  const string = () => {
    const length = encoded.readUInt16BE(at);
    at += 2 + length;
    return encoded.toString('utf8', at - length, at);
  };
  varint();
  string();
  at += 2;
  const length = varint();
  const end = at + length;
  const pairs: UserProperty[] = [];
  while (at < end && encoded[at] === 0x26) {
    at += 1;
    pairs.push([string(), string()]);
  }
  return pairs;
}

function propertiesOf(message: OutgoingMqttMessage): object {
  const { contentType, responseTopic, correlationData, payloadFormat, expirySeconds } = message;
  const properties = { contentType, responseTopic, correlationData, payloadFormat };
  return Object.fromEntries(
    Object.entries({ ...properties, messageExpiryInterval: expirySeconds }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

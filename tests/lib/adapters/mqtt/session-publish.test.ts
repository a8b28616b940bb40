import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MalformedPacketError, readPublish } from '../../../../lib/adapters/mqtt/session-publish.ts';
import type { MqttMessage } from '../../../../lib/domain/messages/message.ts';
import { type PublishFields, packetOf, publishPacket } from '../../../helpers/mqtt-packets.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data));
const common = {
  topicName: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  payload: bytes,
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
};
const message311 = fc.record({ ...common, userProperties: fc.constant([]) });
const message5 = fc.record(
  {
    ...common,
    userProperties: fc.array(fc.tuple(fc.oneof(text, fc.constantFrom('1', '0', '__proto__', 'a')), text), {
      maxLength: 8,
    }),
    contentType: text,
    responseTopic: text,
    correlationData: bytes,
    payloadFormat: fc.constantFrom(0, 1),
    expirySeconds: fc.nat({ max: 0xffffffff }),
  },
  { requiredKeys: ['topicName', 'payload', 'qos', 'retain', 'userProperties'] },
);
const rest = {
  packetId: fc.integer({ min: 1, max: 0xffff }),
  dup: fc.boolean(),
  subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
};

const read = (packet: Buffer, protocolVersion: 4 | 5, filterIndexes = new Map<number, number>()) => {
  // Where it stands within a chunk must not matter.
  const chunk = Buffer.concat([Buffer.from('before'), packet, Buffer.from('behind')]);
  const start = 6;
  let bodyStart = start + 2;
  while ((chunk[bodyStart - 1] ?? 0) >= 0x80) bodyStart += 1;
  return readPublish(chunk, start, bodyStart, start + packet.length, { protocolVersion, filterIndexes });
};
const plain: MqttMessage = {
  topicName: 'a/b',
  payload: Buffer.from('x'),
  qos: 1,
  retain: false,
  userProperties: [],
};

describe('readPublish', () => {
  it.each([
    [5, message5],
    [4, message311],
  ] as const)('reads what MQTT %j can say, byte for byte and in order', (protocolVersion, messages) => {
    fc.assert(
      fc.property(fc.record({ message: messages as fc.Arbitrary<MqttMessage>, ...rest }), (fields) => {
        const packet = publishPacket({
          ...(fields as Omit<PublishFields, 'protocolVersion'>),
          protocolVersion,
        });
        const publish = read(packet, protocolVersion);
        expect(publish.message).toEqual(fields.message);
        expect(publish).toMatchObject({
          qos: fields.message.qos,
          retain: fields.message.retain,
          isDuplicate: fields.dup,
          packetId: fields.message.qos === 0 ? 0 : fields.packetId,
          bytes: packet.length,
        });
      }),
    );
  });

  it.each([
    { identifiers: [], index: -1 },
    { identifiers: [300], index: 2 },
    { identifiers: [300, 7], index: 1 },
    { identifiers: [7, 300], index: 1 },
    { identifiers: [99], index: -1 },
    { identifiers: [99, 300], index: 2 },
  ])('takes the lowest filter of identifiers $identifiers', ({ identifiers, index }) => {
    const packet = publishPacket({
      message: plain,
      subscriptionIdentifiers: identifiers,
      protocolVersion: 5,
    });
    const known = new Map([
      [7, 1],
      [300, 2],
    ]);
    expect(read(packet, 5, known).filterIndex).toBe(index);
  });

  it.each([
    ['both QoS bits', packetOf(0x36, Buffer.from([0, 1, 97, 0, 1, 0]))],
    ['an empty topic name', packetOf(0x32, Buffer.from([0, 0, 0, 1, 0]))],
    ['a topic name longer than the packet', packetOf(0x32, Buffer.from([0, 200, 97, 0, 1, 0]))],
    ['packet identifier 0', packetOf(0x32, Buffer.from([0, 1, 97, 0, 0, 0]))],
    ['no packet identifier', packetOf(0x32, Buffer.from([0, 1, 97]))],
    ['no properties', packetOf(0x30, Buffer.from([0, 1, 97]))],
    ['properties longer than the packet', packetOf(0x30, Buffer.from([0, 1, 97, 9, 1, 0]))],
    ['a property of another packet', packetOf(0x30, Buffer.from([0, 1, 97, 2, 0x21, 0]))],
    ['a topic alias', packetOf(0x30, Buffer.from([0, 1, 97, 3, 0x23, 0, 1]))],
    ['a user property that ends in its name', packetOf(0x30, Buffer.from([0, 1, 97, 4, 0x26, 0, 9, 97]))],
    ['a number that ends early', packetOf(0x30, Buffer.from([0, 1, 97, 3, 0x02, 0, 0]))],
    ['a length of five bytes', packetOf(0x30, Buffer.from([0, 1, 97, 0x80, 0x80, 0x80, 0x80, 1]))],
  ])('refuses %s', (_, packet) => {
    expect(() => read(packet, 5)).toThrow(MalformedPacketError);
  });
});

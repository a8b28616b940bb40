import { hostname } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { createSendMessageEncoder } from '../../../../lib/adapters/rocketmq/send-message-encoder.ts';
import type { RocketmqMessage } from '../../../../lib/domain/messages/message.ts';

const TOPIC = 'charger_status';
/** Mostly ASCII, sometimes anything well-formed: both branches of the string writer, and its change from short to long. */
const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }).filter((value) => value.isWellFormed()),
  fc.constantFrom('ü'.repeat(64), 'a'.repeat(64), 'a'.repeat(65), '🔌', 'a🔌'),
);
const message: fc.Arbitrary<RocketmqMessage> = fc.record(
  {
    rocketmqTopic: fc.constant(TOPIC),
    body: fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
    tag: text,
    keys: fc.array(text, { maxLength: 4 }),
    messageGroup: text,
    properties: fc
      .dictionary(
        text.filter((name) => name !== '__proto__'),
        text,
        { maxKeys: 20 },
      )
      .map((entries) => new Map(Object.entries(entries))),
  },
  { requiredKeys: ['rocketmqTopic', 'body', 'keys', 'properties'] },
);

function decode(bytes: Buffer) {
  return rpc.SendMessageRequest.deserializeBinary(bytes).getMessagesList();
}

describe('createSendMessageEncoder', () => {
  it('writes every field so that the generated class reads it back, in order', () => {
    const encode = createSendMessageEncoder(TOPIC, 'tenant');
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 10 }),
        fc.constantFrom('NORMAL' as const, 'FIFO' as const),
        fc.nat(4_102_444_800_000),
        (messages, type, bornTimeMs) => {
          const outgoing = messages.map((one, index) => ({ message: one, messageId: `ID${index}` }));
          const decoded = decode(encode(outgoing, type, bornTimeMs)).map((one) => one.toObject());
          expect(decoded).toHaveLength(messages.length);
          for (const [index, given] of messages.entries()) {
            expect(decoded[index]).toMatchObject({
              topic: { name: TOPIC, resourceNamespace: 'tenant' },
              systemProperties: {
                tag: given.tag ?? '',
                keysList: given.keys,
                messageId: `ID${index}`,
                bodyEncoding: 1,
                messageType: type === 'NORMAL' ? 1 : 2,
                bornTimestamp: {
                  seconds: Math.floor(bornTimeMs / 1_000),
                  nanos: (bornTimeMs % 1_000) * 1_000_000,
                },
                bornHost: hostname(),
                messageGroup: given.messageGroup ?? '',
              },
              body: given.body.toString('base64'),
            });
            expect(new Map(decoded[index]?.userPropertiesMap)).toEqual(given.properties);
          }
        },
      ),
    );
  });

  it('leaves out tag and message group where there is none', () => {
    const encode = createSendMessageEncoder(TOPIC);
    const bare = { rocketmqTopic: TOPIC, body: Buffer.from('x'), keys: [], properties: new Map() };
    const [decoded] = decode(encode([{ message: bare, messageId: 'ID' }], 'NORMAL', 0));
    expect(decoded?.getSystemProperties()?.hasTag()).toBe(false);
    expect(decoded?.getSystemProperties()?.hasMessageGroup()).toBe(false);
    expect(decoded?.getTopic()?.getResourceNamespace()).toBe('');
  });

  it('writes the same bytes as the generated class for a message with one property', () => {
    const encode = createSendMessageEncoder(TOPIC, 'tenant');
    const given: RocketmqMessage = {
      rocketmqTopic: TOPIC,
      body: Buffer.alloc(70_000, 7),
      tag: 'status',
      keys: ['one', 'two'],
      messageGroup: 'group',
      properties: new Map([['mqtt_topic', `stations/${'x'.repeat(300)}`]]),
    };
    const bytes = encode([{ message: given, messageId: 'ID' }], 'FIFO', 1_700_000_000_123);
    const again = rpc.SendMessageRequest.deserializeBinary(bytes).serializeBinary();
    expect(bytes.equals(again)).toBe(true);
  });
});

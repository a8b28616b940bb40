import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { decodeReceiveAnswer } from '../../../../lib/adapters/rocketmq/received-message.ts';
import type { ReceivedMessage } from '../../../../lib/ports/message-consumer.ts';
import { statusOf } from '../../../helpers/fake-rocketmq-proxy.ts';

const SOURCE = { rocketmqTopic: 't', brokerName: 'broker-a' };
const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 300 }),
);
const bytes = fc.uint8Array({ maxLength: 3_000 }).map((given) => Buffer.from(given));
const message: fc.Arbitrary<ReceivedMessage> = fc.record(
  {
    rocketmqTopic: fc.constant('t'),
    brokerName: fc.constant('broker-a'),
    body: bytes,
    tag: text.filter((given) => given !== ''),
    keys: fc.array(text, { maxLength: 3 }),
    messageGroup: text.filter((given) => given !== ''),
    // google-protobuf, which encodes here, cannot carry this name; the test after this one does.
    properties: fc
      .array(
        fc.tuple(
          text.filter((name) => name !== '__proto__'),
          text,
        ),
        { maxLength: 14 },
      )
      .map((entries) => new Map(entries)),
    messageId: text,
    receiptHandle: text,
    deliveryAttempt: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    queueId: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    queueOffset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    bornTimeMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    isCorrupted: fc.constant(false),
  },
  { noNullPrototype: true },
);
const optional = fc.subarray(['tag', 'messageGroup'] as const);

describe('decodeReceiveAnswer', () => {
  it('reads what the generated classes write', () => {
    fc.assert(
      fc.property(message, optional, (whole, without) => {
        const given = { ...whole };
        for (const name of without) delete given[name];
        expect(decodeReceiveAnswer(encode(given), SOURCE)).toEqual({ kind: 'message', message: given });
      }),
    );
  });

  it('reads a property of any name, and strings that stand after the body', () => {
    const entry = (name: string, value: string) =>
      delimited(2, Buffer.concat([delimited(1, name), delimited(2, value)]));
    const wire = Buffer.concat([
      entry('__proto__', 'own'),
      delimited(4, 'body'),
      entry('later', 'plain'),
      entry('später', '✓'),
    ]);
    const answer = decodeReceiveAnswer(delimited(2, wire), SOURCE);
    expect(answer?.kind === 'message' && [...answer.message.properties]).toEqual([
      ['__proto__', 'own'],
      ['later', 'plain'],
      ['später', '✓'],
    ]);
  });

  it('shares the memory of the answer with the body', () => {
    const encoded = delimited(2, delimited(4, 'body'));
    const answer = decodeReceiveAnswer(encoded, SOURCE);
    expect(answer?.kind === 'message' && answer.message.body.buffer).toBe(encoded.buffer);
  });

  it('passes over fields it does not know, of every wire type', () => {
    const unknown = Buffer.from([
      0xf8, 0x07, 0x96, 0x01, 0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x07, 1, 2, 3, 4,
    ]);
    const wire = Buffer.concat([unknown, delimited(127, 'x'), delimited(4, 'body')]);
    const answer = decodeReceiveAnswer(Buffer.concat([unknown, delimited(2, wire)]), SOURCE);
    expect(answer).toMatchObject({ kind: 'message', message: { body: Buffer.from('body') } });
  });

  it('reads a status, and nothing in a time of delivery', () => {
    const status = new rpc.ReceiveMessageResponse().setStatus(statusOf({ code: 40_401, text: 'none' }));
    expect(decodeReceiveAnswer(wireOf(status), SOURCE)).toEqual({
      kind: 'status',
      status: { code: 40_401, text: 'none' },
    });
    const time = delimited(3, Buffer.from([0x08, 0x01]));
    expect(decodeReceiveAnswer(time, SOURCE)).toBeUndefined();
  });

  it('refuses bytes that end too early or say nothing, and never reads beyond', () => {
    fc.assert(
      fc.property(message, fc.double({ min: 0, max: 1, maxExcluded: true }), (given, share) => {
        const whole = encode(given);
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        if (cut.length > 0) expect(() => decodeReceiveAnswer(cut, SOURCE)).toThrow(RangeError);
      }),
    );
    expect(() => decodeReceiveAnswer(Buffer.from([0x0f]), SOURCE)).toThrow(RangeError);
  });
});

function encode(given: ReceivedMessage): Buffer {
  const born = emptyTimestamp()
    .setSeconds(Math.floor(given.bornTimeMs / 1_000))
    .setNanos((given.bornTimeMs % 1_000) * 1_000_000);
  const system = new definition.SystemProperties()
    .setKeysList([...given.keys])
    .setMessageId(given.messageId)
    .setReceiptHandle(given.receiptHandle)
    .setDeliveryAttempt(given.deliveryAttempt)
    .setQueueId(given.queueId)
    .setQueueOffset(given.queueOffset)
    .setBornTimestamp(born)
    .setBornHost('host')
    .setStoreTimestamp(born)
    .setBodyEncoding(definition.Encoding.IDENTITY);
  if (given.tag !== undefined) system.setTag(given.tag);
  if (given.messageGroup !== undefined) system.setMessageGroup(given.messageGroup);
  const wire = new definition.Message()
    .setTopic(new definition.Resource().setName('t'))
    .setSystemProperties(system)
    .setBody(given.body);
  for (const [name, value] of given.properties) wire.getUserPropertiesMap().set(name, value);
  return wireOf(new rpc.ReceiveMessageResponse().setMessage(wire));
}

/** Its class is google-protobuf's own, which has no types here. */
function emptyTimestamp() {
  const holder = definition.SystemProperties.deserializeBinary(delimited(7, ''));
  const timestamp = holder.getBornTimestamp();
  if (timestamp === undefined) throw new Error('no timestamp');
  return timestamp;
}

function wireOf(answer: { serializeBinary(): Uint8Array }): Buffer {
  return Buffer.from(answer.serializeBinary());
}

/** A length-delimited field, short ones only. */
function delimited(field: number, content: string | Buffer): Buffer {
  const tag = (field << 3) | 2;
  const bytesOfTag = tag < 0x80 ? [tag] : [(tag & 0x7f) | 0x80, tag >> 7];
  const data = Buffer.from(content);
  return Buffer.concat([Buffer.from([...bytesOfTag, data.length]), data]);
}

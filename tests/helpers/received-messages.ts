import fc from 'fast-check';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import type { ReceivedMessage } from '../../lib/ports/message-consumer.ts';

/** What a receive was asked for. */
export const SOURCE = { rocketmqTopic: 't', brokerName: 'broker-a' };
const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 300 }),
);
const bytes = fc.uint8Array({ maxLength: 3_000 }).map((given) => Buffer.from(given));
/** Everything that a message handed over by POP can hold. */
export const receivedMessages: fc.Arbitrary<ReceivedMessage> = fc.record(
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

/** The answer of a proxy that hands a message over, by the generated classes. */
export function encodeReceived(given: ReceivedMessage): Buffer {
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
  const holder = definition.SystemProperties.deserializeBinary(Buffer.from([(7 << 3) | 2, 0]));
  const timestamp = holder.getBornTimestamp();
  if (timestamp === undefined) throw new Error('no timestamp');
  return timestamp;
}

export function wireOf(answer: { serializeBinary(): Uint8Array }): Buffer {
  return Buffer.from(answer.serializeBinary());
}

/** A length-delimited field, short ones only. */
export function delimited(field: number, content: string | Buffer): Buffer {
  const tag = (field << 3) | 2;
  const bytesOfTag = tag < 0x80 ? [tag] : [(tag & 0x7f) | 0x80, tag >> 7];
  const data = Buffer.from(content);
  return Buffer.concat([Buffer.from([...bytesOfTag, data.length]), data]);
}

import fc from 'fast-check';
import type {
  MqttMessage,
  Provenance,
  ReceivedRocketmqMessage,
  UserProperty,
} from '../../../lib/domain/messages/message.ts';
import { RESERVED_PROPERTY_NAMES } from '../../../lib/domain/messages/rocketmq-limits.ts';
import { isCarried } from '../../../lib/domain/text.ts';
import { ALIBABA, RMQ, ROCKETMQ_MQTT, WIRE_NAMES } from '../../../lib/mapping/wire-names.ts';

/** Names that mean something to RocketMQ, to mqferry, to JavaScript, or to a parser. */
const ODD_NAMES = [
  ...RESERVED_PROPERTY_NAMES,
  ...WIRE_NAMES,
  ...Object.values(RMQ),
  ...Object.values(ALIBABA),
  ...Object.values(ROCKETMQ_MQTT),
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '__x',
    'mqtt_x',
    'rmq_tag',
    'mqferry_x',
    'MQTT_X',
  ],
  ...[
    '',
    ' ',
    '0',
    '9',
    '10',
    'a b',
    'a-b',
    'a.b',
    '-a',
    'gr\u00f6\u00dfe',
    'a\u0001b',
    'a\u0085',
    'a\nb',
    '\u{1f50b}',
  ],
];

/** Any Unicode, control characters and U+0000 included; no lone surrogates, which no MQTT client may send. */
export const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom('\u007f', '\u009f', '\u00a0', ' ', '=', 'null', '[]', '\u2028') },
);

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'site', 'Site') },
  { weight: 2, arbitrary: fc.constantFrom(...ODD_NAMES) },
  { weight: 1, arbitrary: text },
);

export const userProperties: fc.Arbitrary<UserProperty[]> = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.tuple(name, text), { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(fc.tuple(name, text), { minLength: 100, maxLength: 200, size: 'max' }) },
);

const large = fc.integer({ min: 14_000, max: 65_000 }).map((length) => 'l/'.repeat(length / 2));
const anyText = fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: large });
const topic = anyText.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));

/** Everything MQTT 5 can say in a PUBLISH, known or not known. */
export const mqttMessages: fc.Arbitrary<MqttMessage> = fc.record(
  {
    topicName: topic,
    payload: bytes,
    userProperties,
    qos: fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
    retain: fc.boolean(),
    clientId: text,
    contentType: anyText,
    responseTopic: topic,
    correlationData: fc.oneof(bytes, fc.constant(Buffer.alloc(60_000, 7))),
    payloadFormat: fc.constantFrom<(0 | 1)[]>(0, 1),
    expirySeconds: fc.integer({ min: 0, max: 0xffff_ffff }),
  },
  { requiredKeys: ['topicName', 'payload', 'userProperties'] },
);

const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

export const provenances: fc.Arbitrary<Provenance> = fc.record(
  {
    messageId: fc.uuid(),
    path: fc.array(fc.ulid(), { maxLength: 9 }),
    sourceTimeMs: time,
    receiptTimeMs: time,
    sendTimeMs: time,
  },
  { requiredKeys: ['messageId', 'path', 'receiptTimeMs', 'sendTimeMs'] },
);

/** Names that a property born in RocketMQ does not come back under: they are taken by mqferry or by a name set. */
const TAKEN: ReadonlySet<string> = new Set([
  ...WIRE_NAMES,
  ...Object.values(RMQ),
  ...Object.values(ALIBABA),
  ...Object.values(ROCKETMQ_MQTT),
  ...RESERVED_PROPERTY_NAMES,
  '__proto__',
]);

const carriedText = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 20, minLength: 1 }), text)
  .filter((value) => isCarried(value) && value.trim() !== '');
const key = carriedText.filter((value) => !/\s/.test(value));

/** Everything a message born in RocketMQ has; what the proxy takes. */
export const rocketmqMessages: fc.Arbitrary<ReceivedRocketmqMessage> = fc.record(
  {
    rocketmqTopic: fc.constantFrom('charger_commands', 't', 'a%b|c'),
    body: fc.uint8Array({ minLength: 1, maxLength: 64 }).map((array) => Buffer.from(array)),
    tag: carriedText.filter((value) => !value.includes('|')),
    keys: fc.array(key, { maxLength: 3 }),
    messageGroup: carriedText.filter((value) => Buffer.byteLength(value) <= 63),
    properties: fc
      .array(fc.tuple(fc.oneof(name, carriedText), carriedText), { maxLength: 8 })
      .map((entries) =>
        entries.filter(([property]) => !TAKEN.has(property) && property !== '' && isCarried(property)),
      )
      .map((entries) => new Map(entries)),
    messageId: fc.uuid(),
    bornTimeMs: fc.constant(1_764_000_000_000),
  },
  {
    requiredKeys: ['rocketmqTopic', 'body', 'keys', 'messageGroup', 'properties', 'messageId', 'bornTimeMs'],
  },
);

import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type {
  MqttMessage,
  OutgoingMqttMessage,
  ReceivedRocketmqMessage,
  RocketmqMessage,
} from '../../../lib/domain/messages/message.ts';
import { createMqttToRocketmqMapper } from '../../../lib/mapping/mqtt-to-rocketmq.ts';
import { takePath } from '../../../lib/mapping/provenance.ts';
import { createRocketmqToMqttMapper } from '../../../lib/mapping/rocketmq-to-mqtt.ts';
import { mqttMessages, provenances, rocketmqMessages } from './arbitraries.ts';
import { type Change, toMqtt, toRocketmq } from './definitions.ts';
import { failure } from './failure.ts';

const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
const OTHER_TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQS';
const BORN_MS = 1_764_000_000_000;
const times = { receiptTimeMs: BORN_MS + 10, sendTimeMs: BORN_MS + 20 };

const command: ReceivedRocketmqMessage = {
  rocketmqTopic: 'charger_commands',
  body: Buffer.from('{"unlock":1}'),
  tag: 'unlock',
  keys: ['4711', 'berlin'],
  messageGroup: 'g',
  properties: new Map([['traceparent', '00-1']]),
  messageId: '01AB',
  bornTimeMs: BORN_MS,
};

describe('createRocketmqToMqttMapper', () => {
  it('brings what was born in RocketMQ, with all it had there as user properties', () => {
    expect(publish({ target: { topic: 'stations/${key}/commands' } }, command)).toEqual({
      topicName: 'stations/4711/commands',
      payload: command.body,
      qos: 1,
      retain: false,
      userProperties: [
        ['rmq_born_time', String(BORN_MS)],
        ['rmq_keys', '4711'],
        ['rmq_keys', 'berlin'],
        ['rmq_message_group', 'g'],
        ['rmq_message_id', '01AB'],
        ['rmq_tag', 'unlock'],
        ['rmq_topic', 'charger_commands'],
        ['traceparent', '00-1'],
        ['mqferry_id', `01AB-${BORN_MS}`],
        ['mqferry_path', TASK_ID],
        ['mqferry_source_time', String(BORN_MS)],
        ['mqferry_receipt_time', String(BORN_MS + 10)],
        ['mqferry_send_time', String(BORN_MS + 20)],
      ],
    });
  });

  it('carries what MQTT cannot, and what has a name of ours, in rmq_up', () => {
    const properties = new Map([
      ['nul', 'a\u0000'],
      ['rmq_tag', 'mine'],
      ['mqferry_id', 'stray'],
    ]);
    const { userProperties } = publish({}, { ...command, properties });
    expect(userProperties.filter(([name]) => name === 'rmq_tag')).toEqual([['rmq_tag', 'unlock']]);
    expect(userProperties).toContainEqual([
      'rmq_up',
      '[["nul","a\\u0000"],["rmq_tag","mine"],["mqferry_id","stray"]]',
    ]);
  });

  it('lets an application say by native names what the message is to be in MQTT', () => {
    const properties = new Map([
      ['mqtt_topic', 'a/b'],
      ['mqtt_qos', '0'],
      ['mqtt_retain', 'true'],
      ['mqtt_content_type', 'text/plain'],
      ['mqtt_response_topic', 'answers/1'],
      ['mqtt_correlation_data', 'AP8='],
      ['mqtt_payload_format', '1'],
      ['mqtt_expiry', '60'],
    ]);
    expect(publish({ target: { topic: '${prop.mqtt_topic}' } }, { ...command, properties })).toMatchObject({
      topicName: 'a/b',
      qos: 0,
      retain: true,
      contentType: 'text/plain',
      responseTopic: 'answers/1',
      correlationData: Buffer.of(0, 255),
      payloadFormat: 1,
      expirySeconds: 60,
    });
  });

  it.each<[string, string]>([
    ['${topic}/${topic[1]}', 'charger_commands/charger_commands'],
    ['${tag}/${key}', 'unlock/4711'],
    ['${payload.unlock}/${prop.traceparent}', '1/00-1'],
    ['${clientId:-none}/${topic[2]:-one}', 'none/one'],
  ])('renders %s', (topic, topicName) => {
    expect(publish({ target: { topic } }, command).topicName).toBe(topicName);
  });

  it('finds in templates whatever a carried message has, as text', () => {
    const message: MqttMessage = {
      topicName: 'a\u0085/b',
      clientId: 'charger-4711',
      payload: Buffer.alloc(0),
      contentType: 'c',
      responseTopic: 'r',
      qos: 0,
      retain: true,
      userProperties: [['gr\u00f6\u00dfe', 'L']],
    };
    const topic =
      '${prop.mqtt_topic}/${clientId}/${prop.mqtt_client_id}/${prop["gr\u00f6\u00dfe"]}/${prop.mqtt_qos}/' +
      '${prop.mqtt_retain}/${prop.mqtt_content_type}/${prop.mqtt_response_topic}';
    expect(publish({ target: { topic } }, carried(message)).topicName).toBe(
      'a\u0085/b/charger-4711/charger-4711/L/0/true/c/r',
    );
  });

  it.each<[what: string, change: Change, own: Partial<MqttMessage>, expected: Partial<OutgoingMqttMessage>]>([
    ['the QoS of the message', {}, { qos: 0 }, { qos: 0 }],
    ['QoS 1 where nothing is known', {}, {}, { qos: 1, retain: false }],
    ['a QoS of the task', { target: { qos: 2 } }, { qos: 0 }, { qos: 2 }],
    ['a rendered QoS', { target: { qos: '${prop.mqtt_qos}' } }, { qos: 2 }, { qos: 2 }],
    ['retain as it is', {}, { retain: true }, { retain: true }],
    ['retain forced', { options: { retain: 'force' } }, { retain: false }, { retain: true }],
    ['retain dropped', { options: { retain: 'drop' } }, { retain: true }, { retain: false }],
    [
      'a retain of the task',
      { target: { retain: false }, options: { retain: 'force' } },
      { retain: true },
      { retain: false },
    ],
    ['a rendered retain', { target: { retain: '${prop.keep:-true}' } }, {}, { retain: true }],
  ])('takes %s', (_what, change, own, expected) => {
    const message = { topicName: 'a', payload: Buffer.of(1), userProperties: [], ...own };
    expect(publish(change, carried(message))).toMatchObject(expected);
  });

  it('lowers QoS 2 for AWS IoT Core, which has none', () => {
    const mapped = createRocketmqToMqttMapper(toMqtt({ target: { topic: 'a', qos: 2 } }), TASK_ID, 'aws-iot');
    expect(mapped(command, times)).toMatchObject({ kind: 'publish', message: { qos: 1 } });
  });

  it.each<[code: string, change: Change, properties: Record<string, string>]>([
    ['TEMPLATE_VALUE_MISSING', { target: { topic: '${prop.nope}' } }, {}],
    ['TOPIC_INVALID', { target: { topic: 'a/${prop.x}' } }, { x: '+' }],
    ['TOPIC_INVALID', { target: { topic: 'a/${prop.x}' } }, { x: '#' }],
    ['TOPIC_INVALID', { target: { topic: 'a/${prop.x}' } }, { x: '\u0000' }],
    ['TOPIC_INVALID', { target: { topic: '${prop.x:-}' } }, {}],
    ['TOPIC_INVALID', { target: { topic: '${prop.x}' } }, { x: 't'.repeat(65_536) }],
    ['QOS_INVALID', { target: { topic: 'a', qos: '${prop.x}' } }, { x: '3' }],
    ['QOS_INVALID', { target: { topic: 'a', qos: '${prop.x}' } }, { x: '' }],
    ['RETAIN_INVALID', { target: { topic: 'a', retain: '${prop.x}' } }, { x: 'yes' }],
    ['WIRE_PROPERTY_INVALID', {}, { mqtt_qos: '7' }],
    ['RESPONSE_TOPIC_INVALID', {}, { mqtt_response_topic: 'answers/#' }],
    ['RESPONSE_TOPIC_INVALID', {}, { mqtt_response_topic_b64: '=' }],
    ['TEXT_NOT_MQTT', {}, { mqtt_content_type_b64: 'AA==' }],
    ['TEXT_NOT_MQTT', {}, { mqtt_content_type: 'c'.repeat(65_536) }],
    ['TEXT_NOT_MQTT', {}, { mqtt_correlation_data: Buffer.alloc(65_536).toString('base64') }],
    ['TEXT_NOT_MQTT', {}, { mqtt_up: '[["a\\u0000","b"]]', mqferry_path: OTHER_TASK_ID }],
    ['TEXT_NOT_MQTT', {}, { mqtt_up: '[["a","\\ud800"]]', mqferry_path: OTHER_TASK_ID }],
  ])('refuses with %s what can never be published: %#', (code, change, properties) => {
    const received = { ...command, properties: new Map(Object.entries(properties)) };
    const options = { maxHops: 5, ...change.options };
    expect(failure(() => publish({ ...change, options }, received))).toMatchObject({
      code,
      reaction: 'dead-letter',
    });
  });

  it.each([
    ['x'.repeat(257), false],
    ['x'.repeat(256), true],
    ['1/2/3/4/5/6/7/8/9', false],
    ['1/2/3/4/5/6/7/8', true],
  ])('keeps to the topic names of AWS IoT Core: %s', (topic, isLegal) => {
    const map = createRocketmqToMqttMapper(toMqtt({ target: { topic } }), TASK_ID, 'aws-iot');
    expect(failure(() => map(command, times)) === undefined).toBe(isLegal);
  });

  it('counts the expiry down from when mqferry received the message, and skips what has expired', () => {
    const message = { topicName: 'a', payload: Buffer.of(1), userProperties: [], expirySeconds: 60 };
    const received = carried(message, BORN_MS - 20_000);
    const map = createRocketmqToMqttMapper(toMqtt({ options: { maxHops: 5 } }), TASK_ID);
    const at = (sendTimeMs: number) => map(received, { receiptTimeMs: BORN_MS, sendTimeMs });
    expect(at(BORN_MS)).toMatchObject({ kind: 'publish', message: { expirySeconds: 40 } });
    expect(at(BORN_MS + 39_999)).toMatchObject({ kind: 'publish', message: { expirySeconds: 1 } });
    expect(at(BORN_MS + 40_000)).toEqual({ kind: 'skip', reason: 'expired' });
  });

  it('counts the expiry of what was born in RocketMQ from its birth', () => {
    const received = { ...command, properties: new Map([['mqtt_expiry', '10']]) };
    const map = createRocketmqToMqttMapper(toMqtt({}), TASK_ID);
    const at = (sendTimeMs: number) => map(received, { receiptTimeMs: sendTimeMs, sendTimeMs });
    expect(at(BORN_MS + 2_500)).toMatchObject({ kind: 'publish', message: { expirySeconds: 8 } });
    expect(at(BORN_MS + 10_000)).toEqual({ kind: 'skip', reason: 'expired' });
  });

  it('skips what is older than the task carries', () => {
    const map = createRocketmqToMqttMapper(toMqtt({ options: { maxAgeSeconds: 5 } }), TASK_ID);
    expect(map(command, { ...times, sendTimeMs: BORN_MS + 5_000 }).kind).toBe('publish');
    expect(map(command, { ...times, sendTimeMs: BORN_MS + 5_001 })).toEqual({
      kind: 'skip',
      reason: 'expired',
    });
  });

  it.each([
    [TASK_ID, 5],
    [`${OTHER_TASK_ID},${TASK_ID}`, 5],
    [OTHER_TASK_ID, 1],
  ])('skips what has come in a circle: path %s with %i hops', (path, maxHops) => {
    const received = { ...command, properties: new Map([['mqferry_path', path]]) };
    const map = createRocketmqToMqttMapper(toMqtt({ options: { maxHops } }), TASK_ID);
    expect(map(received, times)).toEqual({ kind: 'skip', reason: 'loopSkipped' });
  });

  it('does not compile a template that does not parse', () => {
    const definition = toMqtt({ target: { topic: 'a', qos: '${nope}' } });
    expect(() => createRocketmqToMqttMapper(definition, TASK_ID)).toThrow(TypeError);
  });
});

describe.each(['native', 'alibaba', 'rocketmq-mqtt'] as const)(
  'there and back with names %s',
  (propertyNames) => {
    it('makes of an MQTT message in RocketMQ the very same MQTT message', () => {
      const there = createMqttToRocketmqMapper(
        toRocketmq({ options: { propertyNames, oversize: 'envelope', maxHops: 10 } }),
        OTHER_TASK_ID,
      );
      const back = createRocketmqToMqttMapper(
        toMqtt({ target: { topic: '${prop.mqtt_topic}' }, options: { propertyNames, maxHops: 10 } }),
        TASK_ID,
      );
      fc.assert(
        fc.property(mqttMessages, provenances, (message, { path: wayBefore, ...rest }) => {
          const way = { ...rest, path: wayBefore.slice(0, 8) };
          fc.pre(isLegal(message) && takePath(message.userProperties).path.length === 0);
          const outcome = back(asReceived(there(message, way)), {
            receiptTimeMs: 0,
            sendTimeMs: way.receiptTimeMs,
          });
          if (message.expirySeconds === 0) {
            expect(outcome).toEqual({ kind: 'skip', reason: 'expired' });
            return;
          }
          if (outcome.kind !== 'publish') throw new Error('not to be published');
          const { path, userProperties } = takePath(outcome.message.userProperties);
          expect(path).toEqual([...way.path, OTHER_TASK_ID, TASK_ID]);
          const { qos = 1, retain = false } = message;
          expectSame({ ...outcome.message, userProperties }, { ...message, qos, retain });
        }),
        { numRuns: 1000 },
      );
    });

    it('makes of a RocketMQ message in MQTT the same RocketMQ message, for a task that says nothing else', () => {
      const there = createRocketmqToMqttMapper(
        toMqtt({ target: { topic: 'a/b' }, options: { propertyNames } }),
        TASK_ID,
      );
      const back = createMqttToRocketmqMapper(
        toRocketmq({
          target: { topic: '${prop.rmq_topic}', messageGroup: '${prop.rmq_message_group}' },
          options: { propertyNames, maxHops: 10, oversize: 'envelope' },
        }),
        OTHER_TASK_ID,
      );
      fc.assert(
        fc.property(rocketmqMessages, (received) => {
          const outcome = there(received, times);
          if (outcome.kind !== 'publish') throw new Error('not to be published');
          const { path, userProperties } = takePath(outcome.message.userProperties);
          expect(path).toEqual([TASK_ID]);
          const returned = back(
            { ...outcome.message, userProperties },
            { messageId: 'm', path, receiptTimeMs: 1, sendTimeMs: 2 },
          );
          const { rocketmqTopic, body, tag, keys, messageGroup, properties } = received;
          expect(returned).toMatchObject({ rocketmqTopic, body, keys, messageGroup });
          expect(returned.tag).toBe(tag ?? (propertyNames === 'rocketmq-mqtt' ? 'MQTT_COMMON' : undefined));
          for (const [name, value] of properties)
            expect([name, returned.properties.get(name)]).toEqual([name, value]);
        }),
        { numRuns: 500 },
      );
    });
  },
);

function publish(change: Change, received: ReceivedRocketmqMessage): OutgoingMqttMessage {
  const options = { maxHops: 5, ...change.options };
  const outcome = createRocketmqToMqttMapper(toMqtt({ ...change, options }), TASK_ID)(received, times);
  if (outcome.kind !== 'publish') throw new Error(`skipped: ${outcome.reason}`);
  return outcome.message;
}

/** An MQTT message as another task has carried it to RocketMQ. */
function carried(message: MqttMessage, receiptTimeMs = BORN_MS): ReceivedRocketmqMessage {
  const map = createMqttToRocketmqMapper(toRocketmq({}), OTHER_TASK_ID);
  return asReceived(map(message, { messageId: 'm', path: [], receiptTimeMs, sendTimeMs: receiptTimeMs }));
}

/** As a consumer gets it: RocketMQ keeps no order of properties. */
function asReceived(message: RocketmqMessage): ReceivedRocketmqMessage {
  const properties = new Map([...message.properties].reverse());
  return { ...message, properties, messageId: '02CD', bornTimeMs: BORN_MS };
}

/** What a broker may have delivered at all: U+0000 is in no string of MQTT, and no wildcard in a topic name. */
function isLegal({ topicName, contentType = '', responseTopic = '', userProperties }: MqttMessage): boolean {
  return (
    ![topicName, contentType, responseTopic, ...userProperties.flat()].some((text) =>
      text.includes('\u0000'),
    ) && !/[+#]/.test(topicName + responseTopic)
  );
}

function expectSame(actual: object, expected: object): void {
  // Node's comparison first: the one of jest takes a second for large buffers.
  if (!isDeepStrictEqual({ ...actual }, { ...expected })) expect(actual).toEqual(expected);
}

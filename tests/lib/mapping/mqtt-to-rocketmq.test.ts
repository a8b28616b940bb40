import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BridgeError } from '../../../lib/domain/errors/errors.ts';
import type { MqttMessage, Provenance, RocketmqMessage } from '../../../lib/domain/messages/message.ts';
import { checkRocketmqMessage } from '../../../lib/domain/messages/rocketmq-limits.ts';
import { decodeRocketmqMessage } from '../../../lib/mapping/carried-message.ts';
import { createMqttToRocketmqMapper } from '../../../lib/mapping/mqtt-to-rocketmq.ts';
import { mqttMessages, provenances, userProperties } from './arbitraries.ts';
import { type Change, toRocketmq } from './definitions.ts';
import { failure } from './failure.ts';

const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
const will: MqttMessage = {
  topicName: 'stations/4711/status',
  payload: Buffer.from('{"error":"E12"}'),
  userProperties: [],
};
const provenance: Provenance = { messageId: 'm-1', path: [], receiptTimeMs: 2, sendTimeMs: 3 };

describe('createMqttToRocketmqMapper', () => {
  it('maps every field to its property', () => {
    const message: MqttMessage = {
      ...will,
      qos: 1,
      retain: true,
      clientId: 'charger-4711',
      userProperties: [['site', 'berlin']],
      contentType: 'application/json',
      responseTopic: 'stations/4711/replies',
      correlationData: Buffer.of(0, 255),
      payloadFormat: 1,
      expirySeconds: 60,
    };
    const target = { topic: 'charger_status', tag: '${topic[3]}', keys: ['${topic[2]}', '${payload.error}'] };
    const mapped = map({ target }, message, { ...provenance, path: ['01A'], sourceTimeMs: 1 });
    expect(mapped).toEqual({
      rocketmqTopic: 'charger_status',
      body: message.payload,
      tag: 'status',
      keys: ['4711', 'E12'],
      properties: new Map([
        ['mqtt_topic', 'stations/4711/status'],
        ['mqtt_client_id', 'charger-4711'],
        ['mqtt_qos', '1'],
        ['mqtt_retain', 'true'],
        ['mqtt_content_type', 'application/json'],
        ['mqtt_response_topic', 'stations/4711/replies'],
        ['mqtt_correlation_data', 'AP8='],
        ['mqtt_payload_format', '1'],
        ['mqtt_expiry', '60'],
        ['mqferry_id', 'm-1'],
        ['mqferry_path', `01A,${TASK_ID}`],
        ['mqferry_source_time', '1'],
        ['mqferry_receipt_time', '2'],
        ['mqferry_send_time', '3'],
        ['site', 'berlin'],
      ]),
    });
  });

  it('gives an empty payload a filler of one byte, and says so', () => {
    const mapped = map({}, { ...will, payload: Buffer.alloc(0) });
    expect(mapped.body).toHaveLength(1);
    expect(mapped.properties.get('mqtt_empty')).toBe('1');
  });

  it('escapes what RocketMQ cannot carry in tag and keys, and leaves out what is empty', () => {
    const message = { ...will, topicName: 'a b/c|d//e\tf' };
    const target = { topic: 't', tag: '${topic[2]}', keys: ['${topic[1]}', '${topic[3]}', '${topic[4]}'] };
    expect(map({ target }, message)).toMatchObject({ tag: 'c%7Cd', keys: ['a%20b', 'e%09f'] });
    expect(map({ target: { topic: 't', tag: '${topic[3]}' } }, message)).not.toHaveProperty('tag');
  });

  it.each<[ordering: 'topic' | 'client' | 'key', group: string]>([
    ['topic', 'stations/4711/status'],
    ['client', 'charger-4711'],
    ['key', '4711'],
  ])('takes the message group of ordering %s', (ordering, group) => {
    const message = { ...will, clientId: 'charger-4711' };
    expect(
      map({ options: { ordering }, target: { topic: 't', keys: ['${topic[2]}'] } }, message).messageGroup,
    ).toBe(group);
  });

  it('lets an own message group win over the ordering, and hashes a long one', () => {
    const target = { topic: 't', messageGroup: '${topic[1]}' };
    expect(map({ options: { ordering: 'topic' }, target }, will).messageGroup).toBe('stations');
    expect(
      map({ options: { ordering: 'topic' } }, { ...will, topicName: 'x'.repeat(64) }).messageGroup,
    ).toHaveLength(43);
  });

  it.each<[code: string, change: Change, message: Partial<MqttMessage>]>([
    ['TEMPLATE_VALUE_MISSING', { target: { topic: '${topic[9]}' } }, {}],
    ['TEMPLATE_VALUE_MISSING', { target: { topic: 't', tag: '${clientId}' } }, {}],
    ['TOPIC_INVALID', { target: { topic: '${topic}' } }, {}],
    ['MESSAGE_GROUP_EMPTY', { target: { topic: 't', messageGroup: '${prop.x:-}' } }, {}],
    ['MESSAGE_GROUP_EMPTY', { options: { ordering: 'key' } }, {}],
    ['BODY_TOO_LARGE', {}, { payload: Buffer.alloc(4 * 1024 * 1024) }],
    ['PROPERTIES_TOO_LARGE', {}, { responseTopic: 'r'.repeat(15 * 1024) }],
    ['PROPERTIES_TOO_LARGE', {}, { userProperties: numbered(121) }],
    [
      'PROPERTIES_TOO_LARGE',
      { target: { topic: 't', keys: ['${prop.k}'] } },
      { userProperties: [['k', '\u5145'.repeat(2_600)]] },
    ],
    [
      'PROPERTIES_TOO_LARGE',
      { options: { oversize: 'envelope' }, target: { topic: 't', tag: '${topic}' } },
      { topicName: 't'.repeat(17_000) },
    ],
    ['TEXT_ILL_FORMED', {}, { contentType: 'a\ud800' }],
    ['TEXT_ILL_FORMED', {}, { topicName: 'a\udcff' }],
    ['TEXT_ILL_FORMED', {}, { responseTopic: 'a\udcff' }],
    ['TEXT_ILL_FORMED', {}, { userProperties: [['a\udcff', 'b']] }],
    ['TEXT_ILL_FORMED', {}, { userProperties: [['a', 'b\udcff']] }],
    ['TEXT_ILL_FORMED', { options: { oversize: 'envelope' } }, { userProperties: [['a', 'b\udcff']] }],
  ])('refuses with %s what can never be carried: %#', (code, change, message) => {
    const error = failure(() => map(change, { ...will, ...message }));
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code, reaction: 'dead-letter' });
  });

  it('carries as much as 120 properties and 15 KiB allow', () => {
    const others = map({}, will).properties;
    expect(map({}, { ...will, userProperties: numbered(120 - others.size) }).properties.size).toBe(120);
    const used = [...others].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    const room = 15 * 1024 - used - 'k'.length;
    expect(map({}, { ...will, userProperties: [['k', 'v'.repeat(room)]] }).body).toBe(will.payload);
    expect(failure(() => map({}, { ...will, userProperties: [['k', 'v'.repeat(room + 1)]] }))).toMatchObject({
      code: 'PROPERTIES_TOO_LARGE',
    });
  });

  it('does not compile a template that does not parse', () => {
    expect(() => createMqttToRocketmqMapper(toRocketmq({ target: { topic: '${nope}' } }), TASK_ID)).toThrow(
      TypeError,
    );
  });

  it('makes a message that passes the rules of RocketMQ, and from which the very same MQTT message is read', () => {
    const target = {
      topic: 'charger_status',
      tag: '${prop.site:-none}',
      keys: ['${clientId:-none}', '${prop["a b"]:-}'],
      messageGroup: '${topic}',
    };
    const mapMessage = createMqttToRocketmqMapper(
      toRocketmq({ target, options: { oversize: 'envelope' } }),
      TASK_ID,
    );
    fc.assert(
      fc.property(mqttMessages, provenances, (message, way) => {
        const mapped = mapMessage(message, way);
        expect(checkRocketmqMessage(mapped)).toBeUndefined();
        const decoded = decodeRocketmqMessage(asStored(mapped));
        expectSame(decoded.message, message);
        expectSame(decoded.provenance, { ...way, path: [...way.path, TASK_ID] });
      }),
      { numRuns: 1500 },
    );
  });

  it('either carries a message whole or refuses it by its size', () => {
    const mapMessage = createMqttToRocketmqMapper(toRocketmq({}), TASK_ID);
    fc.assert(
      fc.property(mqttMessages, provenances, (message, way) => {
        let mapped: RocketmqMessage;
        try {
          mapped = mapMessage(message, way);
        } catch (error) {
          expect(error).toMatchObject({ code: 'PROPERTIES_TOO_LARGE' });
          return;
        }
        expect(checkRocketmqMessage(mapped)).toBeUndefined();
        expectSame(decodeRocketmqMessage(asStored(mapped)).message, message);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every user property that RocketMQ can carry filterable by its name', () => {
    fc.assert(
      fc.property(userProperties, (properties) => {
        const mapped = map({ options: { oversize: 'envelope' } }, { ...will, userProperties: properties });
        fc.pre(!mapped.properties.has('mqtt_env'));
        for (const name of ['a', 'b', 'c', 'site', 'Site']) {
          const first = properties.find((property) => property[0] === name)?.[1];
          if (first !== undefined && /^[ -~]+$/.test(first)) expect(mapped.properties.get(name)).toBe(first);
        }
      }),
    );
  });
});

function map(change: Change, message: MqttMessage, way: Provenance = provenance): RocketmqMessage {
  return createMqttToRocketmqMapper(toRocketmq(change), TASK_ID)(message, way);
}

function numbered(count: number): [string, string][] {
  return Array.from({ length: count }, (_, index) => [`n${String(index).padStart(3, '0')}`, 'x']);
}

/** Node's comparison first: the one of jest takes a second for large buffers. */
function expectSame(actual: object, expected: object): void {
  // Without the prototype that fast-check gives its records.
  if (!isDeepStrictEqual({ ...actual }, { ...expected })) expect(actual).toEqual(expected);
}

/** As a consumer gets it: RocketMQ keeps no order of properties. */
function asStored(message: RocketmqMessage): RocketmqMessage {
  return { ...message, properties: new Map([...message.properties].reverse()) };
}

import { describe, expect, it } from '@jest/globals';
import type { MqttMessage } from '../../../lib/domain/messages/message.ts';
import { decodeRocketmqMessage } from '../../../lib/mapping/carried-message.ts';
import { createMqttToRocketmqMapper } from '../../../lib/mapping/mqtt-to-rocketmq.ts';
import { NAME_SETS } from '../../../lib/mapping/name-sets.ts';
import { toRocketmq } from './definitions.ts';
import { failure } from './failure.ts';

const body = Buffer.from('on');
const everything: MqttMessage = {
  topicName: 'stations/4711/status',
  payload: body,
  qos: 1,
  retain: true,
  clientId: 'charger-4711',
  userProperties: [
    ['site', 'berlin'],
    ['clientId', 'mine'],
    ['site', 'gr\u00fcn'],
  ],
  contentType: 'text/plain',
  responseTopic: 'answers/1',
  correlationData: Buffer.of(0, 255),
  payloadFormat: 1,
  expirySeconds: 60,
};
const BESIDE = { mqtt_response_topic: 'answers/1', mqtt_correlation_data: 'AP8=', mqtt_payload_format: '1' };

// That each set gives back whatever it was given is shown in rocketmq-to-mqtt.test.ts.
describe('alibaba', () => {
  it('writes what ApsaraMQ for MQTT writes, and the rest beside it', () => {
    expect(written('alibaba', everything, { topic: '${topic[1]}' })).toEqual({
      topic: 'stations/4711/status',
      mqttSecondTopic: '/4711/status',
      clientId: 'charger-4711',
      qoslevel: '1',
      mqttRetain: 'true',
      mqtt5ContentType: 'text/plain',
      mqtt5MsgExpireInterval: '60',
      mqtt5UserProperty:
        '[{"key":"site","value":"berlin"},{"key":"clientId","value":"mine"},{"key":"site","value":"gr\\u00fcn"}]',
      ...BESIDE,
    });
  });

  it.each<[string, Partial<MqttMessage>, Record<string, string>]>([
    ['a topic name of one level', { topicName: 'a' }, { topic: 'a' }],
    ['a slash in front', { topicName: '/a/b' }, { topic: '/a/b', mqttSecondTopic: '/b' }],
    ['what RocketMQ cannot carry', { topicName: 'a/\u0085' }, { mqtt_topic_b64: 'YS/ChQ==' }],
    ['an interval beyond theirs', { expirySeconds: 65_536 }, { topic: 'a', mqtt_expiry: '65536' }],
    ['no payload', { payload: Buffer.alloc(0) }, { topic: 'a', mqtt_empty: '1' }],
  ])('writes %s', (_what, change, expected) => {
    const message = { topicName: 'a', payload: body, userProperties: [], ...change };
    expect(written('alibaba', message)).toEqual(expected);
  });

  it.each<[Record<string, string>, string]>([
    [{ mqttSecondTopic: '/p2p/GID_x@@@1' }, 'commands/p2p/GID_x@@@1'],
    [{ mqttSecondTopic: 'sub' }, 'commands/sub'],
    [{}, 'commands'],
    [{ topic: 'a/b', mqttSecondTopic: '/c' }, 'a/b'],
    [{ mqtt_topic: 'mine', mqttSecondTopic: '/c' }, 'mine'],
  ])('reads the topic name of what an application sent with %j', (properties, topicName) => {
    expect(read('alibaba', properties)).toMatchObject({ topicName });
  });

  it('reads what an application says of the message, and leaves what speaks to that broker alone', () => {
    expect(
      read('alibaba', { qoslevel: '2', mqttRetain: 'false', cleansessionflag: 'true', mqttRealTopic: 'r' }),
    ).toEqual({
      topicName: 'commands',
      payload: body,
      qos: 2,
      retain: false,
      userProperties: [
        ['cleansessionflag', 'true'],
        ['mqttRealTopic', 'r'],
      ],
    });
  });

  it.each([
    ['qoslevel', '3'],
    ['mqttRetain', 'yes'],
    ['mqtt5MsgExpireInterval', '65536'],
    ['mqtt5UserProperty', '{}'],
    ['mqtt5UserProperty', '[{"key":"a"}]'],
    ['mqtt5UserProperty', '[["a","b"]]'],
    ['mqtt5UserProperty', 'x'],
  ])('refuses a wrong %s: %s', (name, value) => {
    const error = failure(() => read('alibaba', { [name]: value }));
    expect(error).toMatchObject({ code: 'WIRE_PROPERTY_INVALID' });
    expect(String(error)).toContain(name);
  });
});

describe('rocketmq-mqtt', () => {
  it('writes what apache/rocketmq-mqtt writes, and the rest beside it', () => {
    expect(written('rocketmq-mqtt', everything)).toEqual({
      originMqttTopic: 'stations/4711/status',
      IS_EMPTY_MSG: 'false',
      retryTimes: '0',
      clientId: 'charger-4711',
      qosLevel: '1',
      extData: '{"qosLevel":"1","site":"berlin","clientId":"mine"}',
      mqtt_up: '[["site","berlin"],["clientId","mine"],["site","gr\\u00fcn"]]',
      mqtt_retain: 'true',
      mqtt_content_type: 'text/plain',
      mqtt_expiry: '60',
      ...BESIDE,
    });
  });

  it('needs nothing beside the object for properties of which order and names are plain', () => {
    const message: MqttMessage = {
      topicName: 'a',
      payload: body,
      userProperties: [
        ['__proto__', 'p'],
        ['site', 'berlin'],
      ],
    };
    const properties = written('rocketmq-mqtt', message);
    expect(properties).not.toHaveProperty('mqtt_up');
    expect(properties.extData).toBe('{"__proto__":"p","site":"berlin"}');
  });

  it('writes an empty payload as that product does', () => {
    const message = { topicName: 'a', payload: Buffer.alloc(0), userProperties: [] };
    const mapped = createMqttToRocketmqMapper(
      toRocketmq({ options: { propertyNames: 'rocketmq-mqtt' } }),
      'T',
    );
    const way = { messageId: 'm', path: [], receiptTimeMs: 1, sendTimeMs: 2 };
    expect(mapped(message, way).body.toString()).toBe('\u2605\r\n\t\u2600');
    expect(mapped(message, way).properties.get('IS_EMPTY_MSG')).toBe('true');
  });

  it.each([
    [{ topic: 't' }, 'MQTT_COMMON'],
    [{ topic: 't', tag: '${topic}' }, 'a'],
  ])('gives %j the tag %s', (target, tag) => {
    const map = createMqttToRocketmqMapper(
      toRocketmq({ target, options: { propertyNames: 'rocketmq-mqtt' } }),
      'T',
    );
    const message = { topicName: 'a', payload: body, userProperties: [] };
    expect(map(message, { messageId: 'm', path: [], receiptTimeMs: 1, sendTimeMs: 2 }).tag).toBe(tag);
  });

  it('reads what that product wrote', () => {
    const properties = {
      originMqttTopic: 'a/b/',
      IS_EMPTY_MSG: 'false',
      qosLevel: '0',
      cleanSessionFlag: 'true',
      clientId: 'c',
      retryTimes: '2',
      extData: '{"site":"berlin","qosLevel":"0","namespace":"n","a":"1"}',
    };
    expect(read('rocketmq-mqtt', properties)).toEqual({
      topicName: 'a/b/',
      payload: body,
      qos: 0,
      clientId: 'c',
      userProperties: [
        ['cleanSessionFlag', 'true'],
        ['a', '1'],
        ['site', 'berlin'],
      ],
    });
  });

  it.each([
    ['qosLevel', 'x'],
    ['extData', '[]'],
    ['extData', '{"a":1}'],
    ['extData', 'x'],
  ])('refuses a wrong %s: %s', (name, value) => {
    const error = failure(() => read('rocketmq-mqtt', { [name]: value }));
    expect(error).toMatchObject({ code: 'WIRE_PROPERTY_INVALID' });
    expect(String(error)).toContain(name);
  });
});

type Names = keyof typeof NAME_SETS;

/** The properties of a mapped message, without the marks of mqferry. */
function written(
  propertyNames: Names,
  message: MqttMessage,
  target = { topic: 't' },
): Record<string, string> {
  const map = createMqttToRocketmqMapper(toRocketmq({ target, options: { propertyNames } }), 'T');
  const { properties } = map(message, { messageId: 'm', path: [], receiptTimeMs: 1, sendTimeMs: 2 });
  return Object.fromEntries([...properties].filter(([name]) => !name.startsWith('mqferry_')));
}

function read(propertyNames: Names, properties: Record<string, string>) {
  const message = { rocketmqTopic: 'commands', body, properties: new Map(Object.entries(properties)) };
  return decodeRocketmqMessage(message, NAME_SETS[propertyNames]).message;
}

import { describe, expect, it } from '@jest/globals';
import { decodeRocketmqMessage } from '../../../lib/mapping/carried-message.ts';
import { failure } from './failure.ts';

const body = Buffer.from('on');

// That it reads whatever the mapper wrote is shown in mqtt-to-rocketmq.test.ts.
describe('decodeRocketmqMessage', () => {
  it('reads a message that began in RocketMQ: its properties by name, and no topic name', () => {
    const properties = new Map([
      ['traceparent', '00-1'],
      ['command', 'unlock'],
    ]);
    expect(decodeRocketmqMessage({ rocketmqTopic: 't', body, properties })).toMatchObject({
      message: {
        payload: body,
        userProperties: [
          ['command', 'unlock'],
          ['traceparent', '00-1'],
        ],
      },
      provenance: { path: [] },
    });
  });

  it.each([
    ['mqtt_qos', '3'],
    ['mqtt_retain', '1'],
    ['mqtt_payload_format', '2'],
    ['mqtt_expiry', '4294967296'],
    ['mqtt_correlation_data', 'a'],
    ['mqtt_topic_b64', 'a'],
    ['mqtt_up', 'x'],
    ['mqtt_env', '7'],
    ['mqferry_send_time', 'x'],
  ])('refuses a %s that somebody has written wrongly', (name, value) => {
    const error = failure(() =>
      decodeRocketmqMessage({ rocketmqTopic: 't', body, properties: new Map([[name, value]]) }),
    );
    expect(error).toMatchObject({ code: 'WIRE_PROPERTY_INVALID', reaction: 'dead-letter' });
    expect(String(error)).toContain(name);
  });
});

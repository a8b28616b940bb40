import { describe, expect, it } from '@jest/globals';
import { createMqttToRocketmqMapper } from '../../../lib/mapping/mqtt-to-rocketmq.ts';
import { createRocketmqToMqttMapper } from '../../../lib/mapping/rocketmq-to-mqtt.ts';
import { toMqtt, toRocketmq } from './definitions.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const TRACE = [
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
] as const;

// https://www.w3.org/TR/trace-context-mqtt/ names the same two user properties.
describe('W3C trace context', () => {
  it.each(['alibaba', 'rocketmq-mqtt'] as const)(
    'goes both ways among the user properties of %s',
    (propertyNames) => {
      const source = { topicName: 'stations/1/status', payload: Buffer.from('on'), userProperties: TRACE };
      const provenance = { messageId: 'm', path: [], receiptTimeMs: NOW_MS, sendTimeMs: NOW_MS };
      const options = { propertyNames };
      const sent = createMqttToRocketmqMapper(toRocketmq({ options }), 'ONE')(source, provenance);
      const received = { ...sent, messageId: '01AB', bornTimeMs: NOW_MS };
      const times = { receiptTimeMs: NOW_MS, sendTimeMs: NOW_MS };
      const definition = toMqtt({ options: { ...options, maxHops: 5 } });
      expect(createRocketmqToMqttMapper(definition, 'TWO')(received, times)).toMatchObject({
        kind: 'publish',
        message: { userProperties: expect.arrayContaining(TRACE.map((pair) => [...pair])) },
      });
    },
  );

  it('goes both ways under its own names', () => {
    const source = { topicName: 'stations/1/status', payload: Buffer.from('on'), userProperties: TRACE };
    const provenance = { messageId: 'm', path: [], receiptTimeMs: NOW_MS, sendTimeMs: NOW_MS };
    const sent = createMqttToRocketmqMapper(toRocketmq({}), 'ONE')(source, provenance);
    for (const [name, value] of TRACE) expect(sent.properties.get(name)).toBe(value);

    const received = { ...sent, messageId: '01AB', bornTimeMs: NOW_MS };
    const times = { receiptTimeMs: NOW_MS, sendTimeMs: NOW_MS };
    const back = createRocketmqToMqttMapper(toMqtt({ options: { maxHops: 5 } }), 'TWO')(received, times);
    expect(back).toMatchObject({
      kind: 'publish',
      message: { userProperties: expect.arrayContaining(TRACE.map((pair) => [...pair])) },
    });
  });
});

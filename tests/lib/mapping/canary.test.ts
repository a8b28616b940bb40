import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkOutgoingMqttMessage } from '../../../lib/domain/messages/mqtt-limits.ts';
import { checkRocketmqMessage } from '../../../lib/domain/messages/rocketmq-limits.ts';
import { canaryTopicName } from '../../../lib/domain/tasks/canary.ts';
import {
  canaryOfEnvelope,
  canaryPayload,
  canaryToMqtt,
  canaryToRocketmq,
} from '../../../lib/mapping/canary.ts';
import { envelopeText, NOW_MS, TASK_ID } from '../../helpers/rule-path.ts';

const t = canaryTopicName(TASK_ID);

describe('canaryOfEnvelope', () => {
  it('finds what was put in', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f]{32}$/), fc.nat(), (token, sentAtMs) => {
        const text = envelopeText({ t, payload: canaryPayload({ token, sentAtMs }) });
        expect(canaryOfEnvelope(text, TASK_ID)).toEqual({ token, sentAtMs });
        expect(canaryOfEnvelope(text.replaceAll('/', '\\/'), TASK_ID)).toEqual({ token, sentAtMs });
      }),
    );
  });

  it.each([
    ['another topic', envelopeText({ payload: canaryPayload({ token: 'a', sentAtMs: 1 }) })],
    [
      'the canary of another task',
      envelopeText({ t: 'mqferry/canary/other', payload: canaryPayload({ token: 'a', sentAtMs: 1 }) }),
    ],
    ['a payload that is no JSON', envelopeText({ t, payload: Buffer.from([0, 255, 3]) })],
    ['a payload without a token', envelopeText({ t, payload: '{"at":1}' })],
    ['a payload with a wrong time', envelopeText({ t, payload: '{"mqferry_canary":"a","at":-1}' })],
    ['no envelope', 'mqferry/canary'],
    ['an envelope of a version that nobody knows', envelopeText({ t, v: 99 })],
  ])('finds none in %s', (_, text) => {
    expect(canaryOfEnvelope(text, TASK_ID)).toBeUndefined();
  });
});

describe('canaries at their end', () => {
  it('are messages that the target takes, and name their task', () => {
    const toRocketmq = canaryToRocketmq('canaries', TASK_ID, NOW_MS);
    expect(checkRocketmqMessage(toRocketmq)).toBeUndefined();
    expect(toRocketmq.properties.get('mqferry_canary')).toBe(TASK_ID);
    const toMqtt = canaryToMqtt(TASK_ID, NOW_MS);
    expect(checkOutgoingMqttMessage(toMqtt)).toBeUndefined();
    expect(toMqtt).toMatchObject({ topicName: t, userProperties: [['mqferry_canary', TASK_ID]] });
    expect(JSON.parse(toMqtt.payload.toString())).toEqual({
      mqferry_canary: TASK_ID,
      at: new Date(NOW_MS).toISOString(),
    });
  });
});

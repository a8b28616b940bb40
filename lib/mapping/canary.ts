import type { OutgoingMqttMessage, RocketmqMessage } from '../domain/messages/message.ts';
import { canaryTopicName } from '../domain/tasks/canary.ts';
import { decodeEnvelope, isRuleEnvelope } from './envelope.ts';
import { isObject, isWholeNumber } from './envelope-fields.ts';
import { parseJson } from './json.ts';
import { CANARY_NAME } from './wire-names.ts';

/** What a canary says of itself. */
export interface Canary {
  token: string;
  /** Epoch ms. */
  sentAtMs: number;
}

/** The payload by which a canary enters a task's rule. */
export function canaryPayload({ token, sentAtMs }: Canary): Buffer {
  return Buffer.from(JSON.stringify({ [CANARY_NAME]: token, at: sentAtMs }));
}

/** Only what has this in it is looked at: envelopes are many, and canaries few. JSON may escape the slash. */
const MAY_BE_CANARY = /mqferry\\?\/canary/;

/** The canary in a record of a task's queue; undefined: it is none. Whether it is genuine tells its token. */
export function canaryOfEnvelope(text: string, taskId: string): Canary | undefined {
  if (!MAY_BE_CANARY.test(text)) return undefined;
  try {
    const envelope = decodeEnvelope(text);
    if (!isRuleEnvelope(envelope) || envelope.topicName !== canaryTopicName(taskId)) return undefined;
    const payload = parseJson(envelope.payload.toString());
    if (!isObject(payload)) return undefined;
    const { [CANARY_NAME]: token, at } = payload;
    return typeof token === 'string' && isWholeNumber(at) ? { token, sentAtMs: at } : undefined;
  } catch {
    // No envelope: whoever decides the record says what is wrong with it.
    return undefined;
  }
}

/** A canary as it ends in RocketMQ. */
export function canaryToRocketmq(rocketmqTopic: string, taskId: string, sentAtMs: number): RocketmqMessage {
  return {
    rocketmqTopic,
    body: Buffer.from(textOf(taskId, sentAtMs)),
    keys: [taskId],
    properties: new Map([[CANARY_NAME, taskId]]),
  };
}

/** A canary as it ends on the MQTT side. */
export function canaryToMqtt(taskId: string, sentAtMs: number): OutgoingMqttMessage {
  return {
    topicName: canaryTopicName(taskId),
    payload: Buffer.from(textOf(taskId, sentAtMs)),
    qos: 1,
    retain: false,
    userProperties: [[CANARY_NAME, taskId]],
  };
}

function textOf(taskId: string, sentAtMs: number): string {
  return JSON.stringify({ [CANARY_NAME]: taskId, at: new Date(sentAtMs).toISOString() });
}

import type { CanaryFailure } from '../domain/canary.ts';
import type { BridgeError } from '../domain/errors.ts';
import { literalRocketmqTopic } from '../domain/rocketmq-end.ts';
import type { MqttToRocketmqDefinition } from '../domain/task.ts';
import { canaryToRocketmq } from '../mapping/canary.ts';
import type { MessageProducer } from '../ports/message-producer.ts';
import { asBridgeError, noAnswer, outcomeOf } from './outcome.ts';
import { withTimeout } from './with-timeout.ts';

/** Asked for where the topic comes out of each message: a cluster that says that it has no such topic answers. */
const NO_TOPIC = 'mqferry_probe';

/** Brings a canary to RocketMQ: into the task's canary topic, or else by asking for the topic, without a message. Never rejects. */
export async function carryCanary({
  taskId,
  definition,
  producer,
  sentAtMs,
  deadlineMs,
  nowMs,
}: {
  taskId: string;
  definition: MqttToRocketmqDefinition;
  producer: () => Promise<MessageProducer>;
  sentAtMs: number;
  deadlineMs: number;
  nowMs: number;
}): Promise<CanaryFailure | undefined> {
  const topic = definition.options.canary?.canaryTopic;

  async function send(to: string): Promise<void> {
    const message = canaryToRocketmq(to, taskId, sentAtMs);
    const [result] = await (await producer()).send(to, [message], { deadlineMs });
    const outcome = outcomeOf(result);
    if (outcome.kind !== 'stored') throw outcome.error;
  }

  async function ask(): Promise<void> {
    const literal = literalRocketmqTopic(definition);
    await (await producer()).check(literal ?? NO_TOPIC, deadlineMs).catch((error: unknown) => {
      if (literal !== undefined || asBridgeError(error).scope !== 'topic') throw error;
    });
  }

  try {
    const carrying = (topic === undefined ? ask() : send(topic)).then(() => true);
    const isThrough = await withTimeout(carrying, deadlineMs - nowMs);
    return isThrough === true ? undefined : failureOf(noAnswer());
  } catch (error) {
    return failureOf(asBridgeError(error));
  }
}

/** What a canary met, from an error. */
export function failureOf({ code, message, hint }: BridgeError): CanaryFailure {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

import { type CanaryFailure, canaryFailureOf } from '../domain/tasks/canary.ts';
import { questionFor } from '../domain/tasks/rocketmq-end.ts';
import type { MqttToRocketmqDefinition } from '../domain/tasks/task.ts';
import { canaryToRocketmq } from '../mapping/canary.ts';
import type { MessageProducer } from '../ports/message-producer.ts';
import { asBridgeError, noAnswer, outcomeOf } from './outcome.ts';
import { withTimeout } from './with-timeout.ts';

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
    const { topic: asked, isAnswer } = questionFor(definition);
    await (await producer()).check(asked, deadlineMs).catch((error: unknown) => {
      if (!isAnswer(asBridgeError(error))) throw error;
    });
  }

  try {
    const carrying = (topic === undefined ? ask() : send(topic)).then(() => true);
    const isThrough = await withTimeout(carrying, deadlineMs - nowMs);
    return isThrough === true ? undefined : canaryFailureOf(noAnswer());
  } catch (error) {
    return canaryFailureOf(asBridgeError(error));
  }
}

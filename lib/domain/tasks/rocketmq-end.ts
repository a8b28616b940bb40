import type { BridgeError } from '../errors/errors.ts';
import { literalTextOf } from '../templates/template.ts';
import type { TaskDefinition } from './task.ts';
import { isFromMqtt } from './task-path.ts';

/** The cluster at a task's RocketMQ end: its target, or of a pull task its source. */
export function rocketmqClusterIdOf(definition: TaskDefinition): string {
  return isFromMqtt(definition) ? definition.target.clusterId : definition.source.clusterId;
}

/**
 * The topic at a task's RocketMQ end, when the task names it literally: then it has to be registered, and counts as used.
 * Undefined: it comes out of each message, or the template cannot be read.
 */
export function literalRocketmqTopic(definition: TaskDefinition): string | undefined {
  if ('topic' in definition.source) return definition.source.topic;
  return literalTextOf(definition.target.topic);
}

/** Asked for where the topic comes out of each message: a cluster that says that it has no such topic answers. */
const NO_TOPIC = 'mqferry_probe';

/** How to ask the RocketMQ end of a task for its topic, without a message. `isAnswer`: this error too is an answer of a cluster that is well. */
export function questionFor(definition: TaskDefinition): {
  topic: string;
  isAnswer(error: BridgeError): boolean;
} {
  const literal = literalRocketmqTopic(definition);
  return {
    topic: literal ?? NO_TOPIC,
    isAnswer: ({ scope }) => literal === undefined && scope === 'topic',
  };
}

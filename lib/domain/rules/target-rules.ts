import type { RegisteredTopic } from '../clusters/cluster.ts';
import { literalRocketmqTopic } from '../tasks/rocketmq-end.ts';
import type { MqttToRocketmqDefinition, TaskPath } from '../tasks/task.ts';
import { parseTemplate } from '../templates/template.ts';
import { checkRocketmqTopic } from '../topics/rocketmq-names.ts';
import {
  checkOf,
  combineChecks,
  type DefinitionCheck,
  type DefinitionContext,
  notRegistered,
} from './definition-check.ts';
import { checkTemplates, type TemplateField } from './template-rules.ts';
import { dialectOf } from './topic-filter-rules.ts';

/** A path that ends in RocketMQ. */
type PathToRocketmq = Exclude<TaskPath, 'pull'>;

/** What becomes of the order within a message group, without `options.ordering`. */
const BEST_EFFORT: Record<PathToRocketmq, string> = {
  rule: 'AWS IoT hands messages over without an order, so within a message group they are in order of arrival, as far as possible',
  session:
    'messages that had to wait in the queue of the task may be overtaken: options.ordering keeps the order within a message group',
};

/** The templates of a RocketMQ target, and the topic it goes to. */
export function checkRocketmqTarget(
  definition: MqttToRocketmqDefinition,
  path: PathToRocketmq,
  { sourceCluster, registeredTopic }: Pick<DefinitionContext, 'sourceCluster' | 'registeredTopic'>,
): DefinitionCheck {
  const literal = literalRocketmqTopic(definition);
  return combineChecks([
    checkTemplates(templatesOf(definition), path, {
      topicFilters: definition.source.topicFilters,
      dialect: dialectOf(sourceCluster.kind),
    }),
    checkCanaryTopic(definition),
    literal === undefined
      ? checkRenderedTopic(definition.target.topic)
      : checkLiteralTopic({ definition, path, literal, registeredTopic }),
  ]);
}

function checkCanaryTopic({ options: { canary } }: MqttToRocketmqDefinition): DefinitionCheck {
  const topic = canary?.canaryTopic;
  return checkOf('options.canary.canaryTopic', topic === undefined ? undefined : checkRocketmqTopic(topic));
}

function templatesOf({ target }: MqttToRocketmqDefinition): TemplateField[] {
  const { topic, tag, keys = [], messageGroup } = target;
  return [
    { field: 'target.topic', text: topic },
    ...(tag === undefined ? [] : [{ field: 'target.tag', text: tag }]),
    ...keys.map((text, index) => ({ field: `target.keys[${index}]`, text })),
    ...(messageGroup === undefined ? [] : [{ field: 'target.messageGroup', text: messageGroup }]),
  ];
}

function checkLiteralTopic({
  definition,
  path,
  literal,
  registeredTopic,
}: {
  definition: MqttToRocketmqDefinition;
  path: PathToRocketmq;
  literal: string;
  registeredTopic: RegisteredTopic | undefined;
}): DefinitionCheck {
  const field = 'target.topic';
  const violation = checkRocketmqTopic(literal);
  if (violation !== undefined) return checkOf(field, violation);
  if (registeredTopic !== undefined) return checkTopicType(definition, path, registeredTopic);
  return { errors: [notRegistered(field, definition.target.clusterId, literal)], warnings: [] };
}

/** What cannot be checked before there is a message is said; what can never become right is refused. */
function checkRenderedTopic(text: string): DefinitionCheck {
  const field = 'target.topic';
  const parsed = parseTemplate(text);
  if (!parsed.ok) return { errors: [], warnings: [] };
  const shortest = parsed.template.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  const violation = checkRocketmqTopic(shortest);
  if (violation !== undefined) return checkOf(field, violation);
  const message =
    'the topic comes out of each message, so neither that it exists nor its message type can be checked: a message whose ' +
    'topic is no legal name, or is refused by a cluster that takes others, becomes a dead letter';
  return { errors: [], warnings: [{ field, code: 'TARGET_TOPIC_NOT_CHECKED', message }] };
}

function checkTopicType(
  { target, options }: MqttToRocketmqDefinition,
  path: PathToRocketmq,
  { topic, type }: RegisteredTopic,
): DefinitionCheck {
  const field = 'target.messageGroup';
  if (type === 'DELAY') {
    const message = `topic ${topic} is registered as DELAY, which this version does not send to yet: use a NORMAL or FIFO topic`;
    return { errors: [{ field: 'target.topic', code: 'TOPIC_TYPE_NOT_AVAILABLE', message }], warnings: [] };
  }
  if (type === 'NORMAL' && target.messageGroup !== undefined) {
    const message = `topic ${topic} is registered as NORMAL, where RocketMQ refuses message groups: leave it out, or use a FIFO topic`;
    return { errors: [{ field, code: 'MESSAGE_GROUP_NEEDS_FIFO_TOPIC', message }], warnings: [] };
  }
  if (type === 'NORMAL') return { errors: [], warnings: [] };
  if (target.messageGroup === undefined) {
    // An ordering would make the group; whether the path has one is checked with the options.
    if (options.ordering !== 'none') return { errors: [], warnings: [] };
    const orOrdering = path === 'session' ? ', or set options.ordering' : '';
    const message = `topic ${topic} is registered as FIFO: say what belongs together by a template, for example \${topic}${orOrdering}`;
    return { errors: [{ field, code: 'FIFO_NEEDS_MESSAGE_GROUP', message }], warnings: [] };
  }
  if (options.ordering !== 'none') return { errors: [], warnings: [] };
  return { errors: [], warnings: [{ field, code: 'ORDER_BEST_EFFORT', message: BEST_EFFORT[path] }] };
}

import type { RegisteredTopic } from './cluster.ts';
import type { DefinitionCheck } from './definition-check.ts';
import type { FieldError } from './errors.ts';
import { checkRocketmqTopic } from './rocketmq-names.ts';
import type { MqttToRocketmqDefinition, TaskDefinition } from './task.ts';
import {
  checkTemplateVariables,
  isLiteral,
  parseTemplate,
  type Template,
  type TemplatePath,
  variables,
} from './template.ts';

/** The target topic when the template is literal text: then it has to be registered. Undefined: rendered, or no template. */
export function literalTargetTopic({ target }: TaskDefinition): string | undefined {
  const parsed = parseTemplate(target.topic);
  return parsed.ok && isLiteral(parsed.template) ? parsed.template.parts.join('') : undefined;
}

/** The templates of a RocketMQ target, and the topic it goes to. */
export function checkRocketmqTarget(
  definition: MqttToRocketmqDefinition,
  path: TemplatePath,
  registeredTopic: RegisteredTopic | undefined,
): DefinitionCheck {
  const checks = templatesOf(definition).map(({ field, text }) => checkTemplate(field, text, path));
  const literal = literalTargetTopic(definition);
  const topic =
    literal === undefined
      ? checkRenderedTopic(definition.target.topic)
      : checkLiteralTopic(definition, literal, registeredTopic);
  return {
    errors: [...checks.flatMap(({ errors }) => errors), ...topic.errors],
    warnings: [...checks.flatMap(({ warnings }) => warnings), ...topic.warnings],
  };
}

function templatesOf({ target }: MqttToRocketmqDefinition): Array<{ field: string; text: string }> {
  const { topic, tag, keys = [], messageGroup } = target;
  return [
    { field: 'target.topic', text: topic },
    ...(tag === undefined ? [] : [{ field: 'target.tag', text: tag }]),
    ...keys.map((text, index) => ({ field: `target.keys[${index}]`, text })),
    ...(messageGroup === undefined ? [] : [{ field: 'target.messageGroup', text: messageGroup }]),
  ];
}

function checkTemplate(field: string, text: string, path: TemplatePath): DefinitionCheck {
  const parsed = parseTemplate(text);
  if (!parsed.ok) {
    const message = `at character ${parsed.position + 1}: ${parsed.message}`;
    return { errors: [{ field, code: 'TEMPLATE_INVALID', message }], warnings: [] };
  }
  const violation = checkTemplateVariables(parsed.template, path);
  return {
    errors: violation === undefined ? [] : [{ field, ...violation }],
    warnings: asksForClientId(parsed.template) ? [clientIdWarning(field)] : [],
  };
}

function asksForClientId(template: Template): boolean {
  return variables(template).some(
    ({ variable, defaultText }) => variable.kind === 'clientId' && defaultText === undefined,
  );
}

function clientIdWarning(field: string): FieldError {
  return {
    field,
    code: 'CLIENT_ID_NOT_ALWAYS_KNOWN',
    message:
      'messages published over HTTPS have no client identifier and would become dead letters: give a default, as in ${clientId:-none}',
  };
}

function checkLiteralTopic(
  definition: MqttToRocketmqDefinition,
  literal: string,
  registered: RegisteredTopic | undefined,
): DefinitionCheck {
  const field = 'target.topic';
  const violation = checkRocketmqTopic(literal);
  if (violation !== undefined) return { errors: [{ field, ...violation }], warnings: [] };
  if (registered !== undefined) return checkTopicType(definition, registered);
  const { clusterId } = definition.target;
  const message = `topic ${literal} is not registered on cluster ${clusterId}: PUT /clusters/${clusterId}/topics/${literal} with its message type first`;
  return { errors: [{ field, code: 'TOPIC_NOT_REGISTERED', message }], warnings: [] };
}

/** What cannot be checked before there is a message is said; what can never become right is refused. */
function checkRenderedTopic(text: string): DefinitionCheck {
  const field = 'target.topic';
  const parsed = parseTemplate(text);
  if (!parsed.ok) return { errors: [], warnings: [] };
  const shortest = parsed.template.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  const violation = checkRocketmqTopic(shortest);
  if (violation !== undefined) return { errors: [{ field, ...violation }], warnings: [] };
  const message =
    'the topic comes out of each message, so neither that it exists nor its message type can be checked: a message whose ' +
    'topic is no legal name, or is refused by a cluster that takes others, becomes a dead letter';
  return { errors: [], warnings: [{ field, code: 'TARGET_TOPIC_NOT_CHECKED', message }] };
}

function checkTopicType(
  { target, options }: MqttToRocketmqDefinition,
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
    const message = `topic ${topic} is registered as FIFO: say what belongs together by a template, for example \${topic}`;
    return { errors: [{ field, code: 'FIFO_NEEDS_MESSAGE_GROUP', message }], warnings: [] };
  }
  const message =
    'AWS IoT hands messages over without an order, so within a message group they are in order of arrival, as far as possible';
  return { errors: [], warnings: [{ field, code: 'ORDER_BEST_EFFORT', message }] };
}

import type { Cluster, ClusterKind } from '../clusters/cluster.ts';
import type { Violation } from '../errors/violation.ts';
import type { RocketmqToMqttDefinition } from '../tasks/task.ts';
import { literalText, parseTemplate, type Template, variables } from '../templates/template.ts';
import { checkAwsIotTopicName, checkTopicName } from '../topics/topic-name.ts';
import { checkOf, combineChecks, type DefinitionCheck, type Warning } from './definition-check.ts';
import { checkTemplates, type TemplateField } from './template-rules.ts';

const QOS = ['0', '1', '2'];
const RETAIN = ['true', 'false'];

/** The templates of an MQTT target, and the topic it goes to. */
export function checkMqttTarget(
  { target }: RocketmqToMqttDefinition,
  { kind }: Pick<Cluster, 'kind'>,
): DefinitionCheck {
  const qos = String(target.qos ?? '');
  const retain = String(target.retain ?? '');
  const fields: TemplateField[] = [
    { field: 'target.topic', text: target.topic },
    { field: 'target.qos', text: qos },
    { field: 'target.retain', text: retain },
  ];
  return combineChecks([
    checkTemplates(fields, 'pull'),
    checkOf('target.topic', topicViolation(target.topic, kind)),
    checkOf('target.qos', qosViolation(qos, kind)),
    checkOf('target.retain', valueViolation(retain, RETAIN, 'RETAIN_INVALID')),
    { errors: [], warnings: qos === '0' ? [AT_MOST_ONCE] : [] },
  ]);
}

const AT_MOST_ONCE: Warning = {
  field: 'target.qos',
  code: 'AT_MOST_ONCE',
  message: 'QoS 0 is at most once: what the connection loses on its way is lost; 1 loses nothing',
};

/** What every message would break is refused now; what only some break makes dead letters of those. */
function topicViolation(text: string, kind: ClusterKind): Violation | undefined {
  const template = templateOf(text);
  if (template === undefined) return undefined;
  // The shortest that can come out, as far as one can know: a value may be empty, but then most topics are no longer meant.
  const shortest = template.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  if (kind !== 'aws-iot') return checkTopicName(shortest);
  const violation = checkAwsIotTopicName(shortest);
  if (violation !== undefined || !shortest.startsWith('$') || shortest.startsWith('$aws/')) return violation;
  return {
    code: 'RESERVED_TOPIC',
    message:
      'Topics that begin with "$" are reserved on AWS IoT Core; of them only those within $aws/ can be published to.',
  };
}

function qosViolation(text: string, kind: ClusterKind): Violation | undefined {
  if (kind === 'aws-iot' && possibleValues(text).includes('2')) {
    return { code: 'QOS_NOT_ON_AWS_IOT', message: 'AWS IoT Core has no QoS 2: use 1, which loses nothing' };
  }
  return valueViolation(text, QOS, 'QOS_INVALID');
}

function valueViolation(text: string, allowed: readonly string[], code: string): Violation | undefined {
  const wrong = possibleValues(text).find((value) => !allowed.includes(value));
  if (wrong === undefined) return undefined;
  return {
    code,
    message: `it has to come to one of ${allowed.join(', ')}, and ${JSON.stringify(wrong)} is none`,
  };
}

/** What a template is known to come to: its text, or the default of its only expression. */
function possibleValues(text: string): string[] {
  const template = text === '' ? undefined : templateOf(text);
  if (template === undefined) return [];
  const literal = literalText(template);
  if (literal !== undefined) return [literal];
  const [only] = variables(template);
  return template.parts.length === 1 && only?.defaultText !== undefined ? [only.defaultText] : [];
}

/** Undefined: it cannot be read, which is said once, where templates are checked. */
function templateOf(text: string): Template | undefined {
  const parsed = parseTemplate(text);
  return parsed.ok ? parsed.template : undefined;
}

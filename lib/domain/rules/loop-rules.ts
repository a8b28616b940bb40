import type {
  MqttToRocketmqDefinition,
  RocketmqToMqttDefinition,
  Task,
  TaskDefinition,
} from '../tasks/task.ts';
import { isFromMqtt, isFromRocketmq } from '../tasks/task-path.ts';
import { isLiteral, parseTemplate, type Template } from '../templates/template.ts';
import { mayRender, topicFilterOf } from '../templates/template-topics.ts';
import { passesAll } from '../topics/rocketmq-filter.ts';
import { covers, intersects, type TopicDialect } from '../topics/topic-filter.ts';
import type { DefinitionCheck } from './definition-check.ts';

/** Whether messages of one task reach another one: all of them, perhaps some, none. */
type Reach = 'certain' | 'possible' | 'none';

/**
 * The first guard against loops: a task must not feed another one that feeds it back. Refused (`LOOP`) where every message
 * would go round, warned of (`LOOP_POSSIBLE`) where it depends on the message. Loops through more than two tasks, and through two
 * registrations of one cluster, are left to the guard at run time (`loopReason`).
 *
 * @param others - tasks with an end on one of the definition's clusters; the task itself is not among them
 * @param dialect - of the MQTT cluster
 */
export function checkLoops(
  definition: TaskDefinition,
  others: readonly Pick<Task, 'taskId' | 'definition'>[],
  dialect: TopicDialect,
): DefinitionCheck {
  const check: DefinitionCheck = { errors: [], warnings: [] };
  const field = 'target.topic';
  for (const other of others) {
    const reach = loopReach(definition, other.definition, dialect);
    const name = `task ${other.definition.taskName} (${other.taskId})`;
    if (reach === 'certain') {
      const message = `${name} carries what arrives there back to the source of this task, so every message would go round: change one of the topics or filters`;
      check.errors.push({ field, code: 'LOOP', message });
    } else if (reach === 'possible') {
      const message = `${name} may carry what arrives there back to the source of this task: a message that has gone round is not carried again (options.maxHops), but it costs`;
      check.warnings.push({ field, code: 'LOOP_POSSIBLE', message });
    }
  }
  return check;
}

function loopReach(one: TaskDefinition, other: TaskDefinition, dialect: TopicDialect): Reach {
  if (one.source.clusterId !== other.target.clusterId || one.target.clusterId !== other.source.clusterId) {
    return 'none';
  }
  if (isFromMqtt(one) && isFromRocketmq(other)) return roundTrip(one, other, dialect);
  if (isFromRocketmq(one) && isFromMqtt(other)) return roundTrip(other, one, dialect);
  return 'none';
}

function roundTrip(
  there: MqttToRocketmqDefinition,
  back: RocketmqToMqttDefinition,
  dialect: TopicDialect,
): Reach {
  const inRocketmq = reachInRocketmq(there, back);
  if (inRocketmq === 'none') return 'none';
  const inMqtt = reachInMqtt(back, there, dialect);
  return inMqtt === 'certain' ? inRocketmq : inMqtt;
}

function reachInRocketmq({ target }: MqttToRocketmqDefinition, { source }: RocketmqToMqttDefinition): Reach {
  const template = templateOf(target.topic);
  if (template === undefined || !mayRender(template, source.topic)) return 'none';
  return isLiteral(template) && passesAll(source.filter) ? 'certain' : 'possible';
}

function reachInMqtt(
  { target }: RocketmqToMqttDefinition,
  { source: { topicFilters } }: MqttToRocketmqDefinition,
  dialect: TopicDialect,
): Reach {
  const template = templateOf(target.topic);
  if (template === undefined) return 'none';
  if (isOwnTopic(template)) return 'certain';
  const published = topicFilterOf(template);
  if (topicFilters.some((topicFilter) => covers(topicFilter, published, dialect))) return 'certain';
  return topicFilters.some((topicFilter) => intersects(topicFilter, published, dialect))
    ? 'possible'
    : 'none';
}

/** `${topic}`: what comes back has the topic that it was read from. */
function isOwnTopic({ parts }: Template): boolean {
  const [only] = parts;
  return parts.length === 1 && typeof only === 'object' && only.variable.kind === 'topic';
}

/** Undefined: the template cannot be read, for which the definition is refused anyway. */
function templateOf(text: string): Template | undefined {
  const parsed = parseTemplate(text);
  return parsed.ok ? parsed.template : undefined;
}

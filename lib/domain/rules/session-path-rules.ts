import type { Cluster, RegisteredTopic } from '../clusters/cluster.ts';
import type { FieldError } from '../errors/errors.ts';
import { literalRocketmqTopic } from '../tasks/rocketmq-end.ts';
import type { MqttToRocketmqDefinition, TaskOptions } from '../tasks/task.ts';
import { checkSessionTopicFilter } from '../topics/topic-filter-syntax.ts';
import {
  combineChecks,
  type DefinitionCheck,
  type DefinitionContext,
  type Warning,
} from './definition-check.ts';
import {
  checkForeignOptions,
  DEFAULT_OPTIONS,
  discardWarnings,
  type ForeignOptions,
  notOnThisPath,
  withoutEffect,
} from './option-rules.ts';
import { checkRocketmqTarget } from './target-rules.ts';
import { checkTopicFilters, dialectOf, overlappingFilters } from './topic-filter-rules.ts';

/** Lambda takes no more from a FIFO queue at once. */
const MAX_FIFO_BATCH = 10;

const FOREIGN: ForeignOptions = {
  retain: 'RocketMQ has no retained messages, so this is for MQTT targets: leave it out',
  maxMessagesPerSecond:
    'a broker whose messages are held back drops them once its queue is full, so sessions take what comes: leave it out',
  presence:
    'only the topic rules of AWS IoT Core bring its disconnect events to a queue where they can wait: use options.via "rule" with a source of kind aws-iot, or leave it out and replicate wills like other messages',
};

/** The rules of the session path: MQTT broker → persistent session → RocketMQ. */
export function checkSessionPath(context: DefinitionContext<MqttToRocketmqDefinition>): DefinitionCheck {
  const { definition, sourceCluster, allowedTopicPrefixes, registeredTopic } = context;
  const { source, options } = definition;
  const { kind } = sourceCluster;
  const filters = checkTopicFilters(source.topicFilters, {
    kind,
    allowedTopicPrefixes,
    checkSyntax: (topicFilter) => checkSessionTopicFilter(topicFilter, kind),
  });
  return combineChecks([
    filters,
    filters.errors.length > 0
      ? { errors: [], warnings: [] }
      : checkOverlap(source.topicFilters, sourceCluster),
    checkRocketmqTarget(definition, 'session', context),
    { errors: [], warnings: [notSeen(sourceCluster)] },
    { errors: checkOrdering(definition, registeredTopic), warnings: [] },
    { errors: checkBatch(options), warnings: [] },
    { errors: checkForeignOptions(options, FOREIGN), warnings: sessionWarnings(options, sourceCluster) },
  ]);
}

/** A copy that came by one of several matching filters is told from the others by its subscription identifier. */
function checkOverlap(topicFilters: readonly string[], { kind }: Cluster): DefinitionCheck {
  const code = 'TOPIC_FILTERS_OVERLAP';
  const overlaps = overlappingFilters(topicFilters, dialectOf(kind));
  if (kind === 'aws-iot') {
    const remedy =
      'a session of AWS IoT Core cannot tell by which one a message came: make them disjoint, or use "rule"';
    return {
      errors: overlaps.map(({ field, other }) => ({ field, code, message: overlapping(other, remedy) })),
      warnings: [],
    };
  }
  const remedy =
    'with MQTT 5 each message is carried once; a broker that speaks 3.1.1 only cannot tell by which one it came, and the task fails there';
  return {
    errors: [],
    warnings: overlaps.map(({ field, other }) => ({ field, code, message: overlapping(other, remedy) })),
  };
}

function overlapping(other: number, remedy: string): string {
  return `it and source.topicFilters[${other}] match some of the same topics: ${remedy}`;
}

function notSeen({ kind }: Cluster): Warning {
  const older =
    kind === 'mqtt'
      ? '; from a broker that speaks MQTT 3.1.1 only, neither do the retain flag of live messages, expiry and user properties'
      : '';
  return {
    field: 'options.via',
    code: 'NOT_SEEN_ON_THIS_PATH',
    message: `an MQTT message does not name its publisher, so the client identifier does not reach RocketMQ${older}`,
  };
}

function checkOrdering(
  definition: MqttToRocketmqDefinition,
  registeredTopic: RegisteredTopic | undefined,
): FieldError[] {
  const { target, options } = definition;
  const { ordering, lanes, batch } = options;
  if (ordering === 'none') return [];
  const field = 'options.ordering';
  const errors: FieldError[] = [];
  if (ordering === 'client') {
    const message =
      'an MQTT message does not name its publisher: use the ordering "topic" or "key"; the client identifier is known on the rule path only, which keeps no order';
    errors.push(notOnThisPath(field, message));
  }
  // A literal topic that is not registered has its own error.
  const isUnknown = registeredTopic === undefined && literalRocketmqTopic(definition) !== undefined;
  if (registeredTopic?.type !== 'FIFO' && !isUnknown) {
    const message =
      'an order is kept on FIFO topics only: name one literally as target.topic, or use the ordering "none"';
    errors.push({ field, code: 'ORDER_NEEDS_FIFO_TOPIC', message });
  }
  if (ordering === 'key' && target.messageGroup === undefined && (target.keys ?? []).length === 0) {
    const message =
      'the first key says what belongs together, and there is none: give one, for example ${topic[2]}';
    errors.push({ field: 'target.keys', code: 'ORDER_NEEDS_KEY', message });
  }
  if (lanes > 1) {
    const message =
      'the broker deals messages out to lanes without an order: one lane, or the ordering "none"';
    errors.push({ field: 'options.lanes', code: 'ORDER_NEEDS_ONE_LANE', message });
  }
  if (batch.maxMessages > MAX_FIFO_BATCH) {
    const message = `what has to wait goes through a FIFO queue, of which AWS Lambda takes at most ${MAX_FIFO_BATCH} at once: set it to ${MAX_FIFO_BATCH} or less`;
    errors.push({ field: 'options.batch.maxMessages', code: 'ORDER_NEEDS_SMALL_BATCH', message });
  }
  return errors;
}

function checkBatch({ batch }: TaskOptions): FieldError[] {
  if (batch.maxWaitSeconds === 0) return [];
  const message =
    'a session sends whatever is there as soon as it can, and a broker hands out no more than its window while it waits: leave it at 0';
  return [notOnThisPath('options.batch.maxWaitSeconds', message)];
}

function sessionWarnings(options: TaskOptions, { kind }: Cluster): Warning[] {
  const warnings = discardWarnings(options);
  if (options.whilePaused === 'broker') {
    const message =
      'the broker keeps what is published during a pause only as long as its session expiry, and only as many messages as its queue holds (often 1,000), and drops the rest in silence: "buffer" keeps up to 14 days';
    warnings.push({ field: 'options.whilePaused', code: 'BROKER_KEEPS_LITTLE', message });
  }
  if (options.qos === 0) {
    const message =
      'QoS 0 is at most once: what is on its way when a connection or function ends is lost; 1 loses nothing';
    warnings.push({ field: 'options.qos', code: 'AT_MOST_ONCE', message });
  }
  if (options.lanes > 1) {
    const message =
      'lanes are shared subscriptions: the broker has to offer them (MQTT 5), and sends no retained messages to them [MQTT-4.8.2]';
    warnings.push({ field: 'options.lanes', code: 'LANES_SHARE', message });
  }
  if (options.concurrency !== DEFAULT_OPTIONS.concurrency) {
    warnings.push(
      withoutEffect('concurrency', 'a session has no invocations to count: options.lanes divides its load'),
    );
  }
  if (kind === 'aws-iot') {
    const message =
      'AWS IoT Core gives one connection at most 100 messages per second and 100 unacknowledged ones: more lanes, or "rule", carry more';
    warnings.push({ field: 'options.via', code: 'SESSION_RATE_ON_AWS_IOT', message });
  }
  return warnings;
}

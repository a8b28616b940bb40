import type { Cluster, RegisteredTopic } from './cluster.ts';
import { combineChecks, type DefinitionCheck, type Warning } from './definition-check.ts';
import type { FieldError } from './errors.ts';
import { checkRocketmqTarget } from './target-rules.ts';
import type { MqttToRocketmqDefinition, TaskDefinition, TaskOptions } from './task.ts';
import { checkPath, isFromMqtt } from './task-path.ts';
import { covers, withinPrefixes } from './topic-filter.ts';
import { checkAwsIotTopicFilter, withoutShare } from './topic-filter-syntax.ts';

export type { DefinitionCheck, Warning };

export interface DefinitionContext {
  definition: TaskDefinition;
  sourceCluster: Cluster;
  targetCluster: Cluster;
  /** The registered topic that the target names literally, if there is one. */
  registeredTopic?: RegisteredTopic | undefined;
  /** Whole topic levels; none: every topic may be read. */
  allowedTopicPrefixes: readonly string[];
}

/** Records per invocation that Lambda takes without a batching window. */
const MAX_BATCH_WITHOUT_WINDOW = 10;

/**
 * Everything that rules can say of a task's definition before it runs: all errors at once, with field, rule and remedy.
 * Nothing is asked from a broker. When source and target make no path of this version, nothing else is checked, since
 * every other rule depends on the path.
 */
export function checkDefinition(context: DefinitionContext): DefinitionCheck {
  const { definition, sourceCluster, targetCluster } = context;
  const errors = checkPath(definition, sourceCluster, targetCluster);
  if (errors.length > 0 || !isFromMqtt(definition)) return { errors, warnings: [] };
  return combineChecks([
    checkTopicFilters(definition, context.allowedTopicPrefixes),
    checkRocketmqTarget(definition, 'rule', context.registeredTopic),
    checkRuleOptions(definition.options),
  ]);
}

function checkTopicFilters(
  { source: { topicFilters } }: MqttToRocketmqDefinition,
  allowedTopicPrefixes: readonly string[],
): DefinitionCheck {
  const checks = topicFilters.map((topicFilter, index): DefinitionCheck => {
    const field = `source.topicFilters[${index}]`;
    const violation = checkAwsIotTopicFilter(topicFilter) ?? notAllowed(topicFilter, allowedTopicPrefixes);
    if (violation !== undefined) return { errors: [{ field, ...violation }], warnings: [] };
    return { errors: [], warnings: rootWildcard(topicFilter).map((warning) => ({ field, ...warning })) };
  });
  const isValid = checks.every(({ errors }) => errors.length === 0);
  return combineChecks([...checks, { errors: [], warnings: isValid ? coveredFilters(topicFilters) : [] }]);
}

function notAllowed(topicFilter: string, prefixes: readonly string[]): Omit<FieldError, 'field'> | undefined {
  if (withinPrefixes(topicFilter, prefixes)) return undefined;
  const allowed = prefixes.map((prefix) => `${prefix.replace(/\/$/, '')}/#`).join(', ');
  return {
    code: 'TOPIC_FILTER_NOT_ALLOWED',
    message: `this stack may read only within ${allowed}: begin the filter with one of these levels`,
  };
}

function rootWildcard(topicFilter: string): Omit<Warning, 'field'>[] {
  const [first] = withoutShare(topicFilter).split('/');
  if (first !== '+' && first !== '#') return [];
  return [
    {
      code: 'ROOT_WILDCARD',
      message:
        'a wildcard as the first level reads the topics of everybody in this account and region, and each message costs: name the first level if you can',
    },
  ];
}

/** A filter that another one covers gets no rule: its messages come by the other. Of equal filters the first stays. */
function coveredFilters(topicFilters: readonly string[]): Warning[] {
  return topicFilters.flatMap((inner, index) => {
    const outer = topicFilters.findIndex(
      (candidate, other) =>
        other !== index &&
        covers(candidate, inner, 'aws-iot') &&
        (other < index || !covers(inner, candidate, 'aws-iot')),
    );
    if (outer === -1) return [];
    return [
      {
        field: `source.topicFilters[${index}]`,
        code: 'TOPIC_FILTER_COVERED',
        message: `source.topicFilters[${outer}] matches all of its topics already: it makes no rule of its own`,
      },
    ];
  });
}

function checkRuleOptions({ ordering, batch, whilePaused }: TaskOptions): DefinitionCheck {
  const errors: FieldError[] = [];
  const warnings: Warning[] = [
    {
      field: 'options.via',
      code: 'NOT_SEEN_ON_THIS_PATH',
      message: 'the rules of AWS IoT do not show QoS, retain flag and expiry: they do not reach RocketMQ',
    },
  ];
  if (ordering !== 'none') {
    errors.push({
      field: 'options.ordering',
      code: 'ORDER_NOT_ON_THIS_PATH',
      message:
        'the rule path keeps no order: use "none"; the session path keeps it, which this version does not have yet',
    });
  }
  if (batch.maxMessages > MAX_BATCH_WITHOUT_WINDOW && batch.maxWaitSeconds < 1) {
    errors.push({
      field: 'options.batch.maxWaitSeconds',
      code: 'BATCH_NEEDS_WINDOW',
      message: `batches of more than ${MAX_BATCH_WITHOUT_WINDOW} need a window (AWS Lambda): set it to 1 or more, or maxMessages to ${MAX_BATCH_WITHOUT_WINDOW}`,
    });
  }
  if (batch.maxWaitSeconds >= 1) {
    warnings.push({
      field: 'options.batch.maxWaitSeconds',
      code: 'BATCH_MAY_WAIT',
      message: `with a window a message on a quiet queue may wait up to ${Math.max(20, batch.maxWaitSeconds)} s (AWS Lambda); 0 with batches of ${MAX_BATCH_WITHOUT_WINDOW} hands over at once`,
    });
  }
  if (whilePaused === 'discard') {
    warnings.push({
      field: 'options.whilePaused',
      code: 'DISCARDS_WHILE_PAUSED',
      message:
        'what is published while the task is paused is not replicated, now or later: "buffer" keeps it up to 14 days',
    });
  }
  return { errors, warnings };
}

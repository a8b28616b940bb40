import type { FieldError } from '../errors/errors.ts';
import { checkPresence } from '../tasks/presence-option.ts';
import type { MqttToRocketmqDefinition, TaskOptions } from '../tasks/task.ts';
import { checkAwsIotTopicFilter } from '../topics/topic-filter-syntax.ts';
import {
  combineChecks,
  type DefinitionCheck,
  type DefinitionContext,
  type Warning,
} from './definition-check.ts';
import { checkForeignOptions, discardWarnings, type ForeignOptions, notOnThisPath } from './option-rules.ts';
import { checkRocketmqTarget } from './target-rules.ts';
import { checkTopicFilters } from './topic-filter-rules.ts';

/** Records per invocation that Lambda takes without a batching window. */
const MAX_BATCH_WITHOUT_WINDOW = 10;

const FOREIGN: ForeignOptions = {
  lanes: 'lanes are MQTT sessions: use options.via "session", or leave it out, since topic rules need none',
  qos: 'topic rules subscribe to nothing: use options.via "session", or leave it out',
  retained:
    'topic rules never see retained messages that were there before: use options.via "session", or leave it out',
  retain: 'RocketMQ has no retained messages, so this is for MQTT targets: leave it out',
  maxMessagesPerSecond:
    'the batching function holds nothing back: leave it out, and bound the task by options.concurrency',
};

/** The rules of the rule path: AWS IoT Core → topic rules → queue → RocketMQ. */
export function checkRulePath(context: DefinitionContext<MqttToRocketmqDefinition>): DefinitionCheck {
  const { definition, sourceCluster, allowedTopicPrefixes } = context;
  const { source, options } = definition;
  return combineChecks([
    checkTopicFilters(source.topicFilters, {
      kind: sourceCluster.kind,
      allowedTopicPrefixes,
      checkSyntax: checkAwsIotTopicFilter,
    }),
    checkRocketmqTarget(definition, 'rule', context),
    { errors: [], warnings: [NOT_SEEN] },
    checkOrdering(options),
    checkBatch(options),
    checkPresence(definition),
    { errors: checkPause(options), warnings: discardWarnings(options) },
    { errors: checkForeignOptions(options, FOREIGN), warnings: [] },
  ]);
}

const NOT_SEEN: Warning = {
  field: 'options.via',
  code: 'NOT_SEEN_ON_THIS_PATH',
  message: 'the rules of AWS IoT do not show QoS, retain flag and expiry: they do not reach RocketMQ',
};

function checkOrdering({ ordering }: TaskOptions): DefinitionCheck {
  if (ordering === 'none') return { errors: [], warnings: [] };
  const message =
    'the rule path keeps no order: use options.via "session", which does, or the ordering "none"';
  return { errors: [{ field: 'options.ordering', code: 'ORDER_NOT_ON_THIS_PATH', message }], warnings: [] };
}

function checkBatch({ batch }: TaskOptions): DefinitionCheck {
  const field = 'options.batch.maxWaitSeconds';
  if (batch.maxWaitSeconds >= 1) {
    const message = `with a window a message on a quiet queue may wait up to ${Math.max(20, batch.maxWaitSeconds)} s (AWS Lambda); 0 with batches of ${MAX_BATCH_WITHOUT_WINDOW} hands over at once`;
    return { errors: [], warnings: [{ field, code: 'BATCH_MAY_WAIT', message }] };
  }
  if (batch.maxMessages <= MAX_BATCH_WITHOUT_WINDOW) return { errors: [], warnings: [] };
  const message = `batches of more than ${MAX_BATCH_WITHOUT_WINDOW} need a window (AWS Lambda): set it to 1 or more, or maxMessages to ${MAX_BATCH_WITHOUT_WINDOW}`;
  return { errors: [{ field, code: 'BATCH_NEEDS_WINDOW', message }], warnings: [] };
}

function checkPause({ whilePaused }: TaskOptions): FieldError[] {
  if (whilePaused !== 'broker') return [];
  const message =
    'AWS IoT Core keeps nothing for topic rules: use "buffer", or options.via "session", whose broker keeps the messages';
  return [notOnThisPath('options.whilePaused', message)];
}

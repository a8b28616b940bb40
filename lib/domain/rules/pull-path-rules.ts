import type { Cluster, RegisteredTopic } from '../clusters/cluster.ts';
import type { FieldError } from '../errors/errors.ts';
import type { RocketmqToMqttDefinition, TaskOptions } from '../tasks/task.ts';
import { checkRocketmqFilter } from '../topics/rocketmq-filter.ts';
import { checkConsumerGroup, checkRocketmqTopic } from '../topics/rocketmq-names.ts';
import {
  checkOf,
  combineChecks,
  type DefinitionCheck,
  type DefinitionContext,
  notRegistered,
  type Warning,
} from './definition-check.ts';
import { checkMqttTarget } from './mqtt-target-rules.ts';
import {
  checkForeignOptions,
  DEFAULT_OPTIONS,
  type ForeignOptions,
  notOnThisPath,
  withoutEffect,
} from './option-rules.ts';

const FOREIGN: ForeignOptions = {
  ordering:
    'a task that pulls from a FIFO topic keeps the order within each message group without this option: leave it at "none"',
  qos: 'this is the QoS of a subscription: target.qos says with which one a message is published',
  retained: 'RocketMQ has no retained messages: leave it out',
  whilePaused:
    'messages wait in RocketMQ while the task is paused, as long as the cluster keeps them: leave it at "buffer"',
  presence:
    'devices are at the source of a task from AWS IoT Core to RocketMQ, where this belongs: leave it out',
  oversize: 'MQTT takes whatever properties RocketMQ had: leave it out',
};

/** The rules of the pull path: RocketMQ → MQTT. */
export function checkPullPath(context: DefinitionContext<RocketmqToMqttDefinition>): DefinitionCheck {
  const { definition, sourceCluster, targetCluster, registeredTopic } = context;
  const { source, options } = definition;
  const { filter, consumerGroup } = source;
  return combineChecks([
    { errors: checkTopic(definition, registeredTopic), warnings: [] },
    checkOf('source.filter.expression', filter && checkRocketmqFilter(filter)),
    checkOf(
      'source.consumerGroup',
      consumerGroup === undefined ? undefined : checkConsumerGroup(consumerGroup),
    ),
    hasAdmin(sourceCluster) ? { errors: [], warnings: [] } : checkWithoutAdmin(definition),
    checkMqttTarget(definition, targetCluster),
    { errors: [...checkPacing(definition, registeredTopic), ...checkCanary(options)], warnings: [] },
    { errors: checkForeignOptions(options, FOREIGN), warnings: batchWarnings(options) },
  ]);
}

function checkTopic(
  { source }: RocketmqToMqttDefinition,
  registeredTopic: RegisteredTopic | undefined,
): FieldError[] {
  const field = 'source.topic';
  const violation = checkRocketmqTopic(source.topic);
  if (violation !== undefined) return [{ field, ...violation }];
  return registeredTopic === undefined ? [notRegistered(field, source.clusterId, source.topic)] : [];
}

function hasAdmin(cluster: Cluster): boolean {
  return cluster.kind === 'rocketmq' && cluster.nameServer !== undefined;
}

/** RocketMQ makes no groups and moves no positions over gRPC; both need its name server. */
function checkWithoutAdmin({ source }: RocketmqToMqttDefinition): DefinitionCheck {
  const { clusterId, consumerGroup, startFrom } = source;
  const check: DefinitionCheck = { errors: [], warnings: [] };
  if (consumerGroup === undefined) {
    const message = `cluster ${clusterId} names no nameServer, without which no group can be made: create one there and name it here, or give the cluster its nameServer`;
    check.errors.push({ field: 'source.consumerGroup', code: 'CONSUMER_GROUP_NEEDED', message });
  }
  if (startFrom === 'earliest') {
    const message = `cluster ${clusterId} names no nameServer, without which the group cannot be moved back: move it in the cluster's own console and leave this out, or give the cluster its nameServer`;
    check.errors.push({ field: 'source.startFrom', code: 'ADMIN_NEEDED', message });
  } else if (startFrom !== undefined) {
    const message =
      'the group cannot be moved without the nameServer of the cluster: what was sent before that time is received and skipped, message by message, until the group has caught up, and what it has read already does not come again; leave it out to let the group go on where it stands';
    check.warnings.push({ field: 'source.startFrom', code: 'START_BY_SKIPPING', message });
  }
  return check;
}

function batchWarnings({ batch }: TaskOptions): Warning[] {
  if (batch.maxMessages === DEFAULT_OPTIONS.batch.maxMessages) return [];
  return [withoutEffect('batch.maxMessages', 'as many are received at once as RocketMQ hands out, up to 32')];
}

function checkCanary({ canary }: TaskOptions): FieldError[] {
  if (canary?.canaryTopic === undefined) return [];
  const message =
    'a canary goes to an MQTT target on mqferry/canary/<taskId>: leave it out, "canary": {} is enough';
  return [notOnThisPath('options.canary.canaryTopic', message)];
}

function checkPacing(
  { options }: RocketmqToMqttDefinition,
  registeredTopic: RegisteredTopic | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  if (options.batch.maxWaitSeconds > 0) {
    const message = 'a message is handed on as soon as it is received: leave it at 0';
    errors.push(notOnThisPath('options.batch.maxWaitSeconds', message));
  }
  if (options.lanes > 1 && registeredTopic?.type === 'FIFO') {
    const message = `topic ${registeredTopic.topic} is registered as FIFO, and its order is kept in one lane only: leave it at 1`;
    errors.push({ field: 'options.lanes', code: 'ORDER_NEEDS_ONE_LANE', message });
  }
  return errors;
}

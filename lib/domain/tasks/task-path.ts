import type { Cluster } from '../clusters/cluster.ts';
import type { FieldError } from '../errors/errors.ts';
import { notOnThisPath } from '../rules/option-rules.ts';
import type {
  MqttToRocketmqDefinition,
  RocketmqToMqttDefinition,
  TaskDefinition,
  TaskDirection,
  TaskPath,
} from './task.ts';

/** The direction in which a task carries messages, by what its source is. */
export function directionOf(definition: TaskDefinition): TaskDirection {
  return isFromMqtt(definition) ? 'mqtt-to-rocketmq' : 'rocketmq-to-mqtt';
}

/** The path of a definition whose `options.via` is said (`withPath`). */
export function pathOf(definition: TaskDefinition): TaskPath {
  if (!isFromMqtt(definition)) return 'pull';
  return definition.options.via === 'session' ? 'session' : 'rule';
}

export function isFromRocketmq(definition: TaskDefinition): definition is RocketmqToMqttDefinition {
  return !isFromMqtt(definition);
}

export function isFromMqtt(definition: TaskDefinition): definition is MqttToRocketmqDefinition {
  return 'topicFilters' in definition.source;
}

/** The definition with `options.via` said, where its source's kind says it: `rule` for aws-iot, `session` for mqtt. */
export function withPath(definition: TaskDefinition, { kind }: Pick<Cluster, 'kind'>): TaskDefinition {
  if (kind === 'rocketmq' || definition.options.via !== undefined) return definition;
  return { ...definition, options: { ...definition.options, via: kind === 'mqtt' ? 'session' : 'rule' } };
}

/** Whether source and target fit their clusters, make a direction, and have the path. Every other rule depends on that. */
export function checkPath(definition: TaskDefinition, source: Cluster, target: Cluster): FieldError[] {
  const fits = [...checkSource(definition, source), ...checkTarget(definition, target)];
  if (fits.length > 0) return fits;
  if ((source.kind === 'rocketmq') === (target.kind === 'rocketmq')) {
    return [
      {
        field: 'target.clusterId',
        code: 'DIRECTION_WRONG',
        message: `a task goes from MQTT to RocketMQ or back, and here both ends are ${source.kind === 'rocketmq' ? 'RocketMQ' : 'MQTT'}: choose a cluster of the other kind`,
      },
    ];
  }
  return checkVia(definition, source);
}

function checkSource(definition: TaskDefinition, { kind, clusterId }: Cluster): FieldError[] {
  const isMqtt = kind !== 'rocketmq';
  if (isMqtt === isFromMqtt(definition)) return [];
  const needed = isMqtt ? 'topicFilters' : 'topic';
  return [
    {
      field: 'source',
      code: 'SOURCE_NOT_OF_CLUSTER',
      message: `cluster ${clusterId} is of kind ${kind}: a source there has ${needed}`,
    },
  ];
}

function checkTarget({ target }: TaskDefinition, { kind, clusterId }: Cluster): FieldError[] {
  const foreign = kind === 'rocketmq' ? ['qos', 'retain'] : ['tag', 'keys', 'messageGroup'];
  return Object.keys(target)
    .filter((member) => foreign.includes(member))
    .map((member) => ({
      field: `target.${member}`,
      code: 'TARGET_NOT_OF_CLUSTER',
      message: `cluster ${clusterId} is of kind ${kind}, whose messages have no ${member}: leave it out`,
    }));
}

function checkVia({ options: { via } }: TaskDefinition, { kind }: Cluster): FieldError[] {
  const field = 'options.via';
  if (kind === 'rocketmq' && via !== undefined) {
    const message = 'messages of RocketMQ are pulled, there is no other way: leave it out (in an edit: null)';
    return [notOnThisPath(field, message)];
  }
  if (kind === 'mqtt' && via === 'rule') {
    const message = 'topic rules exist on AWS IoT Core only: use "session", or leave it out';
    return [notOnThisPath(field, message)];
  }
  return [];
}

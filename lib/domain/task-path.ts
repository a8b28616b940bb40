import type { Cluster } from './cluster.ts';
import type { FieldError } from './errors.ts';
import type {
  MqttToRocketmqDefinition,
  RocketmqToMqttDefinition,
  TaskDefinition,
  TaskDirection,
  TaskPath,
} from './task.ts';

const NOT_AVAILABLE = 'PATH_NOT_AVAILABLE';

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

/**
 * Whether source and target fit their clusters, make a direction, and are on a path that this version has. Every other
 * rule depends on that.
 */
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
  return checkAvailable(definition, source);
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

function checkAvailable({ options }: TaskDefinition, source: Cluster): FieldError[] {
  if (source.kind === 'rocketmq') {
    return [
      {
        field: 'source.clusterId',
        code: NOT_AVAILABLE,
        message:
          'this version does not carry messages from RocketMQ to MQTT yet; it carries them from aws-iot to rocketmq',
      },
    ];
  }
  if (source.kind === 'mqtt') {
    return [
      {
        field: 'source.clusterId',
        code: NOT_AVAILABLE,
        message:
          'a source of kind mqtt needs the session path, which this version does not have yet; a source of kind aws-iot works',
      },
    ];
  }
  if (options.via === 'session') {
    return [
      {
        field: 'options.via',
        code: NOT_AVAILABLE,
        message: 'this version does not have the session path yet: use "rule"',
      },
    ];
  }
  return [];
}

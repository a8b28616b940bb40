import {
  type MqttToRocketmqDefinition,
  type RocketmqToMqttDefinition,
  TaskDefinition,
} from '../../../lib/domain/tasks/task.ts';

/** What a test wants otherwise than usual. */
export interface Change {
  target?: Record<string, unknown>;
  options?: Record<string, unknown>;
}

export function toRocketmq({ target = { topic: 't' }, options = {} }: Change): MqttToRocketmqDefinition {
  return TaskDefinition.parse({
    taskName: 'charger-wills',
    source: { clusterId: 'devices', topicFilters: ['#'] },
    target: { clusterId: 'business', ...target },
    options,
  }) as MqttToRocketmqDefinition;
}

export function toMqtt({ target = {}, options = {} }: Change): RocketmqToMqttDefinition {
  return TaskDefinition.parse({
    taskName: 'commands',
    source: { clusterId: 'business', topic: 'charger_commands' },
    target: { clusterId: 'devices', topic: 'a', ...target },
    options,
  }) as RocketmqToMqttDefinition;
}

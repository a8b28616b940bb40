import type { RocketmqToMqttDefinition, Task } from './task.ts';

/** Consumer group of a pull task: the one its source names, or one of its own. Each task reads every message for itself. */
export function consumerGroupOf({
  taskId,
  definition,
}: Pick<Task, 'taskId'> & { definition: RocketmqToMqttDefinition }): string {
  return definition.source.consumerGroup ?? `mqferry_${taskId}`;
}

import type { FieldError } from '../errors/errors.ts';
import type { RocketmqToMqttDefinition, Task, TaskDefinition } from './task.ts';
import { isFromRocketmq } from './task-path.ts';

/** Consumer group of a pull task: the one its source names, or one of its own. Each task reads every message for itself. */
export function consumerGroupOf({
  taskId,
  definition,
}: Pick<Task, 'taskId'> & { definition: RocketmqToMqttDefinition }): string {
  return definition.source.consumerGroup ?? `mqferry_${taskId}`;
}

/**
 * Two tasks with one group would share out the messages between them, and RocketMQ wants all members of a group to subscribe
 * to the same. Code `CONSUMER_GROUP_TAKEN`.
 */
export function checkGroupIsOwn(
  definition: TaskDefinition,
  others: readonly Pick<Task, 'taskId' | 'definition'>[],
): FieldError[] {
  const consumerGroup = isFromRocketmq(definition) ? definition.source.consumerGroup : undefined;
  if (consumerGroup === undefined) return [];
  const other = others.find(
    ({ taskId, definition: its }) =>
      isFromRocketmq(its) &&
      its.source.clusterId === definition.source.clusterId &&
      consumerGroupOf({ taskId, definition: its }) === consumerGroup,
  );
  if (other === undefined) return [];
  return [
    {
      field: 'source.consumerGroup',
      code: 'CONSUMER_GROUP_TAKEN',
      message: `task ${other.definition.taskName} reads with this consumer group already, and the two would share out the messages: give each its own`,
    },
  ];
}

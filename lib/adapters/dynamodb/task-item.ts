import type { Task } from '../../domain/tasks/task.ts';
import { type Item, taskKey, typeIndexKey } from './table.ts';

/**
 * A task's item: the task as it is, and what the store keeps beside it. The user's side (definition, desired, version …)
 * and converge's side (status, reason, resources, observedVersion, lease) are attributes of their own, so that neither
 * writes over the other.
 */
export interface TaskItem {
  task: Task;
  /** Concurrency units reserved. */
  heldUnits: number;
  rocketmqTopic?: string;
}

/** Attributes beside the task's own. */
const STORE_ATTRIBUTES = new Set([
  'PK',
  'SK',
  'GSI1PK',
  'GSI1SK',
  'heldUnits',
  'rocketmqTopic',
  'leaseOwner',
  'leaseEpoch',
  'leaseExpiresAtMs',
]);

export function itemOf({ task, heldUnits, rocketmqTopic }: TaskItem): Item {
  return { ...taskKey(task.taskId), ...typeIndexKey('TASK', task.taskId), ...task, heldUnits, rocketmqTopic };
}

export function taskOf(item: Item): Task {
  // Written by `itemOf` and the updates of this folder only, which keep the type.
  return Object.fromEntries(
    Object.entries(item).filter(([name]) => !STORE_ATTRIBUTES.has(name)),
  ) as unknown as Task;
}

export function taskItemOf(item: Item): TaskItem {
  return {
    task: taskOf(item),
    heldUnits: Number(item.heldUnits ?? 0),
    ...(typeof item.rocketmqTopic === 'string' ? { rocketmqTopic: item.rocketmqTopic } : {}),
  };
}

import { canonicalJson } from '../../domain/canonical-json.ts';
import { consumerGroupOf } from '../../domain/tasks/consumer-group.ts';
import type { RocketmqToMqttDefinition, Task } from '../../domain/tasks/task.ts';
import { isFromRocketmq } from '../../domain/tasks/task-path.ts';
import type { LaneMemory, PullStart } from '../../ports/lane-leases.ts';
import type { Position, RocketmqAdmin } from '../../ports/rocketmq-admin.ts';

/** So often our groups get a message before RocketMQ takes it away: never, in practice. */
const RETRY_MAX_TIMES = 1_000;

/** Where a task wants to begin, once. `latest`: with what is born from its first start on. */
export function startPositionOf({ definition, startedAt, createdAt }: Task): Position {
  const startFrom = isFromRocketmq(definition) ? (definition.source.startFrom ?? 'latest') : 'latest';
  if (startFrom === 'earliest') return 'earliest';
  return { timestampMs: Date.parse(startFrom === 'latest' ? (startedAt ?? createdAt) : startFrom) };
}

/** What a task's consumer group is positioned for; a group of our own starts with `latest` by itself. */
export function pullStartOf(taskId: string, definition: RocketmqToMqttDefinition): PullStart {
  const {
    clusterId,
    topic,
    consumerGroup: named,
    startFrom = named === undefined ? 'latest' : undefined,
  } = definition.source;
  const start = { clusterId, rocketmqTopic: topic, consumerGroup: consumerGroupOf({ taskId, definition }) };
  return startFrom === undefined ? start : { ...start, startFrom };
}

/**
 * Makes the task's consumer group and moves it to the start position, once for each start that the task's definition has
 * named: lane 0 does it when it first takes the lease, and remembers. Where no admin port can move a group it stays to be
 * reached by skipping (protocol-design-rule 16).
 */
export async function preparePosition({
  task,
  start,
  admin,
  isOwnGroup,
  isFifo,
  lane,
  memory,
  firstLaneMemory,
  remember,
  isOurs,
}: {
  task: Task;
  start: PullStart;
  admin: RocketmqAdmin | undefined;
  /** Named by us, not by the user: then its form is ours too. */
  isOwnGroup: boolean;
  isFifo: boolean;
  lane: number;
  memory: LaneMemory;
  firstLaneMemory: LaneMemory;
  remember(memory: LaneMemory): Promise<boolean>;
  isOurs(): boolean;
}): Promise<'ready' | 'not-yet' | 'by-skipping'> {
  if (admin === undefined) return 'by-skipping';
  if (isSameStart(firstLaneMemory.positionedFor, start)) return 'ready';
  // Another lane would begin where the cluster puts a new group; an owner of before would move it under its successor.
  if (lane !== 0 || !isOurs()) return 'not-yet';
  const { rocketmqTopic, consumerGroup, startFrom } = start;
  if (isOwnGroup)
    await admin.ensureGroup({ consumerGroup, isOrderly: isFifo, retryMaxTimes: RETRY_MAX_TIMES });
  if (startFrom !== undefined) {
    if (!isOurs()) return 'not-yet';
    await admin.resetPosition({ rocketmqTopic, consumerGroup, position: startPositionOf(task) });
  }
  return (await remember({ ...memory, positionedFor: start })) ? 'ready' : 'not-yet';
}

export function isSameStart(one: PullStart | undefined, other: PullStart): boolean {
  return one !== undefined && canonicalJson(one) === canonicalJson(other);
}

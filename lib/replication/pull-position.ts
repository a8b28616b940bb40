import type { Task } from '../domain/task.ts';
import { isFromRocketmq } from '../domain/task-path.ts';
import type { LaneMemory } from '../ports/lane-leases.ts';
import type { Position, RocketmqAdmin } from '../ports/rocketmq-admin.ts';

/** So often our groups get a message before RocketMQ takes it away: never, in practice. */
const RETRY_MAX_TIMES = 1_000;

/** Where a task wants to begin, once. `latest`: with what is born from its first start on. */
export function startPositionOf({ definition, startedAt, createdAt }: Task): Position {
  const startFrom = isFromRocketmq(definition) ? (definition.source.startFrom ?? 'latest') : 'latest';
  if (startFrom === 'earliest') return 'earliest';
  return { timestampMs: Date.parse(startFrom === 'latest' ? (startedAt ?? createdAt) : startFrom) };
}

/**
 * Makes the task's consumer group and moves it to the start position, once in the task's life: lane 0 does it when it
 * first takes the lease, and remembers. Answers before which time of birth messages are skipped instead: where no admin
 * port can move a group (protocol-design-rule 16).
 */
export async function preparePosition({
  task,
  admin,
  consumerGroup,
  isOwnGroup,
  isFifo,
  lane,
  memory,
  firstLaneMemory,
  remember,
}: {
  task: Task;
  admin: RocketmqAdmin | undefined;
  consumerGroup: string;
  /** Named by us, not by the user: then its form is ours too. */
  isOwnGroup: boolean;
  isFifo: boolean;
  lane: number;
  memory: LaneMemory;
  firstLaneMemory: LaneMemory;
  remember(memory: LaneMemory): Promise<boolean>;
}): Promise<{ skipBornBeforeMs: number; isReady: boolean }> {
  const position = startPositionOf(task);
  const skipBornBeforeMs = typeof position === 'object' ? position.timestampMs : 0;
  if (admin === undefined) return { skipBornBeforeMs, isReady: true };
  if (memory.isPositioned === true || firstLaneMemory.isPositioned === true) {
    return { skipBornBeforeMs: 0, isReady: true };
  }
  // Another lane would begin where the cluster puts a new group.
  if (lane !== 0) return { skipBornBeforeMs: 0, isReady: false };
  if (isOwnGroup)
    await admin.ensureGroup({ consumerGroup, isOrderly: isFifo, retryMaxTimes: RETRY_MAX_TIMES });
  const { definition } = task;
  if (isFromRocketmq(definition) && (isOwnGroup || definition.source.startFrom !== undefined)) {
    await admin.resetPosition({ rocketmqTopic: definition.source.topic, consumerGroup, position });
  }
  return { skipBornBeforeMs: 0, isReady: await remember({ ...memory, isPositioned: true }) };
}

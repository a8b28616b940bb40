import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import type { RocketmqToMqttDefinition, Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PullStart } from '../../ports/lane-leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageConsumers } from '../../ports/message-consumer.ts';
import type { MqttPublisher } from '../../ports/mqtt-publisher.ts';
import type { RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import { countCode } from '../figures/batch-counts.ts';
import type { FigureMeter, FigureMeters } from '../figures/figure-meter.ts';
import { runCanary } from '../run-canary.ts';
import type { LaneHealth } from '../shifts/lane.ts';
import { publishCanary } from './pull-canary.ts';
import type { PullCounts } from './pull-counts.ts';
import type { KeepDeadLetter } from './pull-dead-letters.ts';
import { drainMoved, EVERYTHING } from './pull-moved.ts';
import { samplePosition } from './pull-sample.ts';

export interface FirstLaneOptions {
  task: Task;
  definition: RocketmqToMqttDefinition;
  start: PullStart;
  source: RocketmqClusterRecord;
  consumers: MessageConsumers;
  /** Absent: the cluster has no admin port. */
  admin: RocketmqAdmin | undefined;
  publisher: MqttPublisher;
  keepDeadLetter: KeepDeadLetter;
  counts: Pick<PullCounts, 'failed'>;
  meters: Pick<FigureMeters, 'sample'>;
  figures: Pick<FigureMeter, 'received'>;
  health: Pick<LaneHealth, 'canary'>;
  /** Messages that the group was handed out and that its position does not contain yet. */
  inHand(): number;
  /** Asked right before something is published. */
  mayPublish(): boolean;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * What the first lane of a task does for all of them, beside carrying: takes in what RocketMQ has moved away, keeps how far the group is, and
 * sends canaries. Until the signal aborts.
 */
export async function workForAllLanes(options: FirstLaneOptions): Promise<void> {
  const { definition, admin } = options;
  await Promise.all([
    takeInMoved(options),
    admin === undefined ? undefined : sample({ ...options, admin }),
    definition.options.canary === undefined ? undefined : sendCanaries(options),
  ]);
}

async function takeInMoved({ start, counts, figures, clock, ...others }: FirstLaneOptions): Promise<void> {
  await drainMoved({
    ...others,
    clock,
    consumerGroup: start.consumerGroup,
    async keepDeadLetter(message, error) {
      await others.keepDeadLetter(message, error);
      figures.received(clock.now());
      countCode(counts.failed, error.code);
    },
  });
}

async function sample({
  task,
  definition,
  start,
  meters,
  ...others
}: FirstLaneOptions & { admin: RocketmqAdmin }): Promise<void> {
  const { type, expression } = definition.source.filter ?? EVERYTHING;
  await samplePosition({
    ...others,
    ...start,
    figures: meters,
    taskId: task.taskId,
    isComparable: type === 'tag' && expression === '*',
    since: task.updatedAt,
  });
}

async function sendCanaries({ task, publisher, mayPublish, ...others }: FirstLaneOptions): Promise<void> {
  const { taskId } = task;
  await runCanary({
    ...others,
    taskId,
    carry: (sentAtMs) => publishCanary({ taskId, publisher, maySend: mayPublish }, sentAtMs),
  });
}

import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import type { MqttToRocketmqDefinition } from '../../domain/tasks/task.ts';
import type { SessionDelivery } from '../../ports/mqtt-session.ts';
import type { CompiledTask } from '../compiled-tasks.ts';
import type { FigureMeter } from '../figures/figure-meter.ts';
import type { LastStored } from '../last-stored.ts';
import { unexpected } from '../outcome.ts';
import type { LaneContext, LaneHealth } from '../shifts/lane.ts';
import { createOverflowGroupsWatch, type OverflowGroupsWatch } from './overflow-groups-watch.ts';
import type { LaneTally } from './session-counts.ts';
import { createSessionDeadLetters } from './session-dead-letters.ts';
import { createSessionFlow, type SessionFlow } from './session-flow.ts';
import { createSessionIntake } from './session-intake.ts';
import type { LaneGate } from './session-item.ts';
import type { SessionLanePorts } from './session-lane-ports.ts';
import { createLines } from './session-lines.ts';
import { createSessionOverflow, type SessionOverflow } from './session-overflow.ts';
import { createOverflowReport } from './session-overflow-report.ts';
import { createSessionSender } from './session-sender.ts';
import type { SubscriptionPlan } from './session-subscription.ts';
import { createTargetWatch } from './session-target.ts';
import { createWayBack } from './session-way-back.ts';

/** What a lane is made of, beside its connection. */
export interface LaneWorks {
  flow: SessionFlow;
  intake: (delivery: SessionDelivery) => void;
  /** To be awaited before the session is opened: what earlier owners have left in the task's queue. */
  load(): Promise<void>;
  /** The task has a queue to overflow into. */
  hasQueue: boolean;
}

/** Puts the parts of one lane together. */
export function createLaneWorks(options: {
  context: LaneContext;
  definition: MqttToRocketmqDefinition;
  compiled: CompiledTask;
  cluster: RocketmqClusterRecord;
  plan: SubscriptionPlan;
  dropsOverlap: () => boolean;
  /** `mqferry_id` of a delivery. */
  messageId(delivery: SessionDelivery): string;
  /** Whether a delivery was met before. */
  isAgain(delivery: SessionDelivery): boolean;
  /** How the target does is to be found out without a message. */
  onQuiet(): void;
  gate: LaneGate;
  tally: LaneTally;
  figures: Pick<FigureMeter, 'accepted' | 'failed'>;
  health: LaneHealth;
  lastStored: LastStored;
  ports: SessionLanePorts;
}): LaneWorks {
  const { context, definition, compiled, cluster, plan, gate, tally, figures } = options;
  const { health, lastStored, ports } = options;
  const { task, mode } = context;
  const { clock, logger, random = Math.random } = ports;
  const { taskId, version } = task;
  const queueUrl = task.resources.queue?.url;
  const common = { task: { taskId, version }, gate, tally, figures, clock, logger, random };
  const { largeBodies } = ports;
  const groups: OverflowGroupsWatch | undefined =
    queueUrl?.endsWith('.fifo') === true
      ? createOverflowGroupsWatch({
          taskId,
          marks: ports.overflowGroups,
          clock,
          logger,
          onProgress: (sinceMs) => flow.progressed(sinceMs),
          onOver: (groupKey) => flow.leftQueue(groupKey),
        })
      : undefined;
  const overflow: SessionOverflow | undefined =
    queueUrl === undefined
      ? undefined
      : createSessionOverflow({ ...common, queueUrl, groups, queue: ports.overflowQueue, largeBodies });
  const lines = createLines();
  const target = createTargetWatch(random);
  const flow: SessionFlow = createSessionFlow({
    lines,
    target,
    deadLetters: createSessionDeadLetters({ ...common, deadLetters: ports.deadLetters, largeBodies }),
    overflow,
    groups,
    ...(groups === undefined
      ? {}
      : { createWayBack: (put) => createWayBack({ ...ports.settings, groups, put, random }) }),
    report: createOverflowReport({
      taskId,
      wasOverflowing: task.overflowing === true,
      tasks: ports.tasks,
      control: ports.control,
      logger,
    }),
    gate,
    tally,
    clock,
    receiveMaximum: ports.settings.receiveMaximum,
    isAgain: options.isAgain,
    createSender: (events) =>
      createSessionSender({
        ...common,
        lines,
        target,
        compiled,
        isOrdered: groups !== undefined,
        clusterId: cluster.clusterId,
        lastStored,
        producer: () => ports.producers.producerFor(cluster),
        events,
      }),
    onTarget: (trouble) => (trouble === undefined ? health.working() : health.failing(trouble)),
    onQuiet: options.onQuiet,
    onFault: (fault) => health.failing(unexpected(fault)),
  });
  return {
    flow,
    hasQueue: overflow !== undefined,
    intake: createSessionIntake({
      taskId,
      definition,
      compiled,
      filterIndexes: plan.filterIndexes,
      dropsOverlap: options.dropsOverlap,
      isBuffering: mode === 'buffer',
      isOrdered: groups !== undefined,
      messageId: options.messageId,
      ways: flow,
    }),
    async load() {
      const greatest = await groups?.load();
      if (greatest !== undefined) overflow?.startAfter(greatest);
    },
  };
}

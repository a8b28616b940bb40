import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { consumerGroupOf } from '../../domain/tasks/consumer-group.ts';
import type { RocketmqToMqttDefinition } from '../../domain/tasks/task.ts';
import { isFromRocketmq } from '../../domain/tasks/task-path.ts';
import { literalTextOf } from '../../domain/templates/template.ts';
import { createRocketmqToMqttMapper } from '../../mapping/rocketmq-to-mqtt.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { PullStart } from '../../ports/lane-leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageConsumer, MessageConsumers, ReceivedMessage } from '../../ports/message-consumer.ts';
import type { MqttClusterRecord, MqttPublisher, MqttPublishers } from '../../ports/mqtt-publisher.ts';
import type { RetryTallies } from '../../ports/retry-tallies.ts';
import type { RocketmqAdmins } from '../../ports/rocketmq-admin.ts';
import type { FigureMeters } from '../figures/figure-meter.ts';
import type { LaneMeter } from '../figures/lane-meter.ts';
import { asBridgeError } from '../outcome.ts';
import { createPacer } from '../pacer.ts';
import type { Random } from '../retry-schedule.ts';
import type { Lane, LaneContext, LaneEnd, OpenLane } from '../shifts/lane.ts';
import { withTimeout } from '../with-timeout.ts';
import { workForAllLanes } from './first-lane.ts';
import { createHeldMessages, type HeldMessages } from './held-messages.ts';
import { createAcknowledger } from './pull-acknowledge.ts';
import { createPullTally } from './pull-counts.ts';
import { createPullDeadLetters, type KeepDeadLetter } from './pull-dead-letters.ts';
import { createPullDecide } from './pull-decide.ts';
import { createPullJudge } from './pull-judge.ts';
import { EVERYTHING, movedGroupOf } from './pull-moved.ts';
import { isSameStart, preparePosition, pullStartOf, startPositionOf } from './pull-position.ts';
import { createPullReceipts, type PullReceipts } from './pull-receipts.ts';
import { receiveOrdered, receiveUnordered } from './pull-receive.ts';
import { createSettleMessage } from './pull-settle.ts';
import { createStartSkip, type StartSkip } from './pull-start-skip.ts';
import { createTargetGate } from './target-gate.ts';

/** An end must be reached within this when a lane is opened. */
const CONNECT_MS = 10_000;
/** What a lane leaves behind comes again after this: its next owner is there by then, or about to be. */
const HAND_BACK_MS = 1_000;
/** Handing back is a courtesy: it may take no longer, and what is not handed back comes again by itself. */
const LET_GO_MS = 1_000;
/** Receives under way end by themselves within this when the lease is lost, and what they bring is handed back. */
const RECEIVES_END_MS = 6_000;

export interface PullLanePorts {
  consumers: MessageConsumers;
  admins: RocketmqAdmins;
  publishers: MqttPublishers;
  deadLetters: Pick<DeadLetterStore, 'put'>;
  figures: FigureMeters;
  /** Tasks whose `options.retry` is bounded. */
  retryTallies: RetryTallies;
  /** A lane that holds so much, of bodies, receives no more. */
  maxHeldBytes: number;
  clock: Clock;
  logger: Logger;
  /** Gathers metrics; absent: there are none. */
  meter?: LaneMeter;
  /** For jitter; absent: `Math.random`. */
  random?: Random;
}

/** What a lane has open, to be closed by its end. */
interface Ends {
  consumer: MessageConsumer;
  publisher: MqttPublisher;
  held: HeldMessages;
}

/**
 * The pull path: receives from RocketMQ and publishes to MQTT. A message is acknowledged only when the MQTT side has
 * taken it, or its dead letter is stored, or it was left out on purpose; while the target is away nothing more is
 * received, and what is held is kept ours.
 */
export function createPullLane(ports: PullLanePorts): OpenLane {
  return (context) => openPullLane(context, ports);
}

function openPullLane(context: LaneContext, ports: PullLanePorts): Lane {
  const { clock, logger, random = Math.random } = ports;
  const { task, health, isOurs, mode, lane } = context;
  const ids = { taskId: task.taskId, lane };
  const tally = createPullTally();
  const { counts } = tally;
  const unwatch = ports.meter?.watch(
    { taskId: task.taskId, perTask: task.definition.options.metrics === 'task' },
    tally.take,
  );
  const figures = ports.figures.open({
    taskId: task.taskId,
    take() {
      // What was left behind the next owner of the lane counts as consumed.
      const takenBack = hasEnded ? (receipts?.leftBehind ?? 0) : 0;
      return { ...tally.takeFigures(), takenBack };
    },
    isBusy: () => ends !== undefined && ends.held.size > 0,
  });
  const draining = new AbortController();
  const closing = new AbortController();
  const abandoning = new AbortController();
  const ending = Promise.withResolvers<LaneEnd>();
  const isThrough = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const takenOver = Promise.withResolvers<never>();
  let ends: Ends | undefined;
  let receiving: Promise<void> | undefined;
  let receipts: PullReceipts | undefined;
  let hasEnded = false;
  let isEffective = false;
  let lastMessageAtMs = 0;
  let sourceFails = false;

  const gate = createTargetGate({
    clock,
    random,
    onOpen: () => tellHealth(),
    onClose: (error) => {
      // To connect again would throw the other one out. Whether that is our successor is for the lease to say.
      if (error.code === 'CLIENT_ID_TAKEN') {
        draining.abort();
        closing.abort();
        takenOver.reject(error);
      } else if (error.reaction !== 'throttle') health.failing(error);
    },
  });

  function tellHealth(): void {
    if (gate.isWell && !sourceFails && isEffective) health.working();
  }

  async function run(): Promise<LaneEnd> {
    const { definition } = task;
    const { source, target } = context;
    if (!isFromRocketmq(definition) || source.kind !== 'rocketmq' || target.kind === 'rocketmq') {
      throw notForward();
    }
    if (mode === 'end') return endGroup(definition, source);
    await Promise.race([carry(definition, source, target), takenOver.promise, closed.promise]);
    return { reason: 'closed' };
  }

  /** The groups of a deleted task go: its own, and the one that read what was moved away. */
  async function endGroup(
    definition: RocketmqToMqttDefinition,
    source: RocketmqClusterRecord,
  ): Promise<LaneEnd> {
    const consumerGroup = consumerGroupOf({ ...ids, definition });
    const isOwn = definition.source.consumerGroup === undefined;
    const admin = lane === 0 ? await ports.admins.adminOf(source) : undefined;
    if (isOwn) await admin?.deleteGroup(consumerGroup);
    await admin?.deleteGroup(movedGroupOf(consumerGroup));
    return { reason: 'done' };
  }

  async function carry(
    definition: RocketmqToMqttDefinition,
    source: RocketmqClusterRecord,
    target: MqttClusterRecord,
  ): Promise<void> {
    const start = pullStartOf(task.taskId, definition);
    const { rocketmqTopic, consumerGroup } = start;
    const filter = definition.source.filter ?? EVERYTHING;
    const consumer = await ports.consumers.open(source, { rocketmqTopic, consumerGroup, filter });
    const held = createHeldMessages({ consumer, clock, logger });
    const clientId = `mqferry-${task.taskId}-p${lane}`;
    const publisher = await ports.publishers.open(target, { clientId }).catch(async (error: unknown) => {
      await consumer.close();
      throw error;
    });
    ends = { consumer, publisher, held };
    const [isFifo, admin] = await Promise.all([consumer.isFifo(), ports.admins.adminOf(source)]);
    const isOwnGroup = definition.source.consumerGroup === undefined;
    const position = await preparePosition({ ...context, start, admin, isOwnGroup, isFifo });
    if (position === 'not-yet') throw notPositioned();
    const startSkip = createStartSkip({
      bornBeforeMs: position === 'by-skipping' ? bornBeforeMs(start) : 0,
      clock,
      onCaughtUp: () => rememberPosition(start),
    });
    await publisher.check(clock.now() + CONNECT_MS);
    const keepDeadLetter = createPullDeadLetters({ ...ports, task, consumerGroup, figures });
    const forAll =
      lane === 0
        ? workForAllLanes({
            ...{ ...ports, task, definition, start, source, admin, publisher, keepDeadLetter },
            ...{ counts, figures, health, meters: ports.figures },
            // What a NORMAL group was handed out is behind its position.
            inHand: () => (isFifo ? held.size : 0),
            mayPublish: () => isOurs() && !draining.signal.aborted,
            signal: draining.signal,
          })
        : undefined;
    await work(definition, { consumer, publisher, held }, { isFifo, startSkip, keepDeadLetter });
    await forAll;
  }

  /** Before which time of birth this lane skips, where its group cannot be moved. */
  function bornBeforeMs(start: PullStart): number {
    const isReached = start.startFrom === undefined || isSameStart(context.memory.positionedFor, start);
    const position = startPositionOf(task);
    return isReached || typeof position !== 'object' ? 0 : position.timestampMs;
  }

  function rememberPosition(start: PullStart): void {
    context.remember({ ...context.memory, positionedFor: start }).catch((error: unknown) => {
      // The next owner skips until it has caught up for itself.
      logger.warn('not remembered that the lane has caught up with its start', { ...ids, error });
    });
  }

  async function work(
    definition: RocketmqToMqttDefinition,
    { consumer, publisher, held }: Ends,
    {
      isFifo,
      startSkip,
      keepDeadLetter,
    }: { isFifo: boolean; startSkip: StartSkip; keepDeadLetter: KeepDeadLetter },
  ): Promise<void> {
    const pacer = createPacer(definition.options.maxMessagesPerSecond, clock, closing.signal);
    const mapper = createRocketmqToMqttMapper(
      definition,
      task.taskId,
      context.target.kind === 'aws-iot' ? 'aws-iot' : 'mqtt',
    );
    receipts = createPullReceipts({ isFifo });
    const shared = {
      gate,
      counts,
      figures,
      receipts,
      clock,
      random,
      logger,
      draining: draining.signal,
      closing: closing.signal,
    };
    const settle = createSettleMessage({
      ...shared,
      publisher,
      decide: createPullDecide({ mapper, isTooOld: startSkip.isTooOld, clock }),
      keepDeadLetter,
      hasFixedTopic: literalTextOf(definition.target.topic) !== undefined,
      mayPublish: (message) => isOurs() && !closing.signal.aborted && held.isOurs(message),
      pace: pacer,
      judge: createPullJudge(task, gate, { ...ports, random }),
    });
    const onFailed = (error: BridgeError) => {
      sourceFails = true;
      health.failing(error, 'source');
    };
    const receive = {
      ...shared,
      consumer,
      held,
      settle,
      abandoning: abandoning.signal,
      maxHeldBytes: ports.maxHeldBytes,
      acknowledger: createAcknowledger({ consumer, held, counts, isOurs, onFailed, logger }),
      onReceived: (messages: readonly ReceivedMessage[]) => {
        if (messages.length > 0) {
          lastMessageAtMs = clock.now();
          figures.received(lastMessageAtMs);
        }
        // One that was given up is empty too, and tells nothing.
        if (messages.length > 0 || !closing.signal.aborted) startSkip.received(messages);
        isEffective = true;
        sourceFails = false;
        tellHealth();
      },
      onFailed,
    };
    const brokers = await consumer.brokers();
    // Reached at both ends: that a message goes through is told by the next one.
    isEffective = true;
    tellHealth();
    const keeping = held.keep(closing.signal);
    receiving = isFifo
      ? receiveOrdered(receive, brokers)
      : receiveUnordered(receive, { brokers, receivers: definition.options.concurrency });
    await receiving;
    isThrough.resolve();
    await keeping;
  }

  async function closeEnds(): Promise<void> {
    const open = ends;
    ends = undefined;
    if (open === undefined) return;
    await Promise.allSettled([open.publisher.close(), leaveSource(open)]);
  }

  /**
   * Whoever has the lease: receipts are of who received. RocketMQ hands a batch also to a receive that was given up, and locks its queue
   * of a FIFO topic until its time is over: so those that are under way end by themselves.
   */
  async function leaveSource({ consumer, held }: Ends): Promise<void> {
    await withTimeout(Promise.allSettled([receiving]), RECEIVES_END_MS);
    abandoning.abort();
    await withTimeout(held.letGo(HAND_BACK_MS), LET_GO_MS);
    await consumer.close();
  }

  run()
    .catch((error: unknown): LaneEnd => {
      const known = asBridgeError(error);
      if (!(error instanceof BridgeError)) logger.error('pull lane failed by a fault', { ...ids, error });
      return { reason: 'failed', error: known };
    })
    .then(async (end) => {
      draining.abort();
      closing.abort();
      isThrough.resolve();
      hasEnded = true;
      await closeEnds();
      await figures.close();
      logger.info('pull lane ended', { ...ids, ...tally.total(), end: end.reason });
      unwatch?.();
      ending.resolve(end);
    })
    .catch((error: unknown) => {
      logger.error('pull lane not closed', { ...ids, error });
      ending.resolve({ reason: 'closed' });
    });

  return {
    ended: ending.promise,
    isEffective: () => isEffective,
    // What is held is being worked on: no shift rests meanwhile.
    lastMessageAtMs: () => (ends !== undefined && ends.held.size > 0 ? clock.now() : lastMessageAtMs),
    async drain(maxMs) {
      draining.abort();
      if (ends !== undefined) await withTimeout(isThrough.promise, maxMs - LET_GO_MS);
      // From here on nothing more is published or acknowledged, whatever is still under way.
      if (ends !== undefined && isOurs()) await withTimeout(ends.held.letGo(HAND_BACK_MS), LET_GO_MS);
      closing.abort();
      // They had their time.
      abandoning.abort();
    },
    async close() {
      draining.abort();
      closing.abort();
      // One that is still being opened ends by itself.
      if (receiving !== undefined) closed.resolve();
      await withTimeout(ending.promise, CONNECT_MS);
    },
  };
}

function notForward(): BridgeError {
  return new BrokerHoldError('source and target of the task are not from RocketMQ to MQTT', {
    code: 'DIRECTION_CHANGED',
    scope: 'cluster',
    hint: 'Edit the task: its clusters are not of the kinds that it was made for.',
  });
}

function notPositioned(): BridgeError {
  return new BrokerUnavailableError('the first lane has not set the start position yet', {
    code: 'NOT_POSITIONED_YET',
  });
}

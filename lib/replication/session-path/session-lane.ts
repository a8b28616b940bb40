import { BridgeError } from '../../domain/errors/errors.ts';
import { literalRocketmqTopic } from '../../domain/tasks/rocketmq-end.ts';
import type { SessionDelivery } from '../../ports/mqtt-session.ts';
import { carryCanary } from '../carry-canary.ts';
import { type CompileTask, createCompiledTasks } from '../compiled-tasks.ts';
import { createLastStored, type LastStored } from '../last-stored.ts';
import { asBridgeError } from '../outcome.ts';
import { noQueue } from '../prepare-errors.ts';
import { retryWaitMs } from '../retry-schedule.ts';
import { runCanary } from '../run-canary.ts';
import type { Lane, LaneContext, LaneEnd, OpenLane } from '../shifts/lane.ts';
import { inTime, withTimeout } from '../with-timeout.ts';
import { createLaneTally } from './session-counts.ts';
import { createHealthChanges } from './session-health.ts';
import { createLaneWorks, type LaneWorks } from './session-lane-flow.ts';
import type { SessionLanePorts } from './session-lane-ports.ts';
import { createSessionOpening, type SessionOpening } from './session-opening.ts';
import { type PreparedLane, prepareLane } from './session-prepare.ts';
import { createSessionReceipts, type SessionReceipts } from './session-receipts.ts';

const PRODUCER_MS = 10_000;
const CHECK_MS = 5_000;
const CANARY_MS = 4_500;
const CLOSE_MS = 2_000;
const TICK_MS = 100;
/** What was sent is waited for so long when the lane is handed over; the rest comes again to the next owner. */
const LONGEST_DRAIN_MS = 1_000;
/** A producer that cannot be made is tried again so soon at the earliest: its secret has to be repaired. */
const PRODUCER_RETRY_MS = 2_000;

type Memory = Pick<Shared, 'compileTask' | 'lastStored'>;
interface Shared {
  ports: SessionLanePorts;
  compileTask: CompileTask;
  lastStored: LastStored;
  receipts: SessionReceipts;
}

/**
 * Makes lanes of the session path: a persistent MQTT session whose PUBACKs are withheld until RocketMQ has stored the message,
 * the task's own queue has taken it, or the hand-over queue has it as a dead letter. So a message may arrive twice, and
 * is never lost. The client id `<prefix>-<taskId>-<lane>` is the same for ever.
 */
export function createSessionLane(ports: SessionLanePorts): OpenLane {
  const memory: Memory = { compileTask: createCompiledTasks(), lastStored: createLastStored() };
  // By what stays the same while a lane is held: it goes with it.
  const receipts = new WeakMap<LaneContext['isOurs'], SessionReceipts>();
  return (context) => {
    const ofLane = receipts.get(context.isOurs) ?? createSessionReceipts(ports.settings.receiveMaximum);
    receipts.set(context.isOurs, ofLane);
    return openLane(context, { ports, ...memory, receipts: ofLane });
  };
}

function openLane(context: LaneContext, { ports, compileTask, lastStored, receipts }: Shared): Lane {
  const { task, lane, mode } = context;
  const { clock, logger, random = Math.random } = ports;
  const ids = { taskId: task.taskId, lane };
  // With its first delivery: a connection that never came about has brought nothing.
  let isMetBefore: ReturnType<SessionReceipts['connect']> | undefined;
  const metBefore = new WeakSet<SessionDelivery>();
  const { promise: ended, resolve } = Promise.withResolvers<LaneEnd>();
  const stop = new AbortController();
  let phase: 'open' | 'draining' | 'drained' | 'ended' = 'open';
  let opening: SessionOpening | undefined;
  let isEffective = false;
  let isWatching = false;
  let isAsking = false;
  let lastMessageAtMs = 0;

  const gate = {
    mayBegin: () => phase === 'open' && context.isOurs(),
    mayAccept: () => (phase === 'open' || phase === 'draining') && context.isOurs(),
  };
  const health = createHealthChanges(context.health, () => phase === 'open');
  const tally = createLaneTally(ids, { logger, figures: () => figures });
  const figures = ports.figures.open({
    taskId: task.taskId,
    take: tally.takeFigures,
    isBusy: () => works?.flow.isActive() === true,
  });
  const witness = ports.figures.openWitness(ids);
  const unwatch = ports.meter?.watch(
    { taskId: task.taskId, perTask: task.definition.options.metrics === 'task' },
    () => tally.take(),
  );
  let works: LaneWorks | undefined;

  function end(reason: LaneEnd): void {
    if (phase === 'ended') return;
    phase = 'ended';
    isEffective = false;
    stop.abort();
    tally.close(clock.now());
    unwatch?.();
    resolve(reason);
  }

  const mayGoOn = () => phase === 'open' && context.isOurs();

  async function run(): Promise<LaneEnd | undefined> {
    const prepared = prepareLane(context, compileTask);
    opening = createSessionOpening({
      context,
      prepared,
      ports,
      mayGoOn,
      load: () => made.load(),
      onDelivery(delivery) {
        lastMessageAtMs = delivery.receivedAtMs;
        isMetBefore ??= receipts.connect();
        if (isMetBefore(delivery)) metBefore.add(delivery);
        else witness.received(delivery.receivedAtMs);
        made.intake(delivery);
        watch();
      },
      onClosed(error) {
        logger.info('session closed', { ...ids, code: error.code });
        end({ reason: 'failed', error });
      },
    });
    const { plan, dropsOverlap, messageId } = opening;
    const made = createLaneWorks({
      context,
      ...prepared,
      cluster: prepared.target,
      plan,
      dropsOverlap,
      messageId,
      isAgain: (delivery) => metBefore.has(delivery),
      onQuiet: () => void askTarget(prepared),
      gate,
      tally,
      figures,
      health,
      lastStored,
      ports,
    });
    works = made;
    if (mode === 'buffer' && !made.hasQueue) throw noQueue();
    const session = await opening.open();
    if (session === undefined) return { reason: 'closed' };
    if (mode === 'discard' || mode === 'end') {
      return { reason: (await opening.leave(session)) ? 'done' : 'closed' };
    }
    logger.info('session open', { ...ids, isResumed: session.isResumed, version: session.protocolVersion });
    watch();
    if (mode === 'forward') await reachTarget(prepared);
    if (mayGoOn()) {
      isEffective = true;
      health.working();
      if (mode === 'forward') beginCanary(prepared);
    }
    return undefined;
  }

  /** It enters behind the session: that the broker is there is told by the connection. */
  function beginCanary({ definition, target }: PreparedLane): void {
    if (lane !== 0 || definition.options.canary === undefined) return;
    void runCanary({
      ...ports,
      taskId: task.taskId,
      async carry(sentAtMs) {
        if (!gate.mayBegin()) return 'unknown';
        const failure = await carryCanary({
          taskId: task.taskId,
          definition,
          producer: () => ports.producers.producerFor(target),
          sentAtMs,
          deadlineMs: sentAtMs + CANARY_MS,
          nowMs: sentAtMs,
        });
        return failure ?? 'through';
      },
      health,
      signal: stop.signal,
    });
  }

  /**
   * Until the target is reached, and has the topic: what arrives meanwhile goes to the task's queue. A rendered topic is known
   * with its message only.
   */
  async function reachTarget({ target, definition }: PreparedLane): Promise<void> {
    for (let attempt = 1; phase === 'open'; attempt += 1) {
      try {
        const producer = await inTime(ports.producers.producerFor(target), PRODUCER_MS);
        const topic = literalRocketmqTopic(definition);
        if (topic !== undefined) await inTime(producer.check(topic, clock.now() + CHECK_MS), PRODUCER_MS);
        return;
      } catch (error) {
        health.failing(asBridgeError(error));
        await clock
          .sleep(retryWaitMs(attempt, PRODUCER_RETRY_MS, random), stop.signal)
          .catch(() => undefined);
      }
    }
  }

  /** Nobody has needed the target for long: whether it is back is asked without a message. */
  async function askTarget(prepared: PreparedLane): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    await reachTarget(prepared);
    isAsking = false;
    health.working();
  }

  /** Ticks while there is anything to look after. */
  function watch(): void {
    if (isWatching || phase === 'ended') return;
    isWatching = true;
    void tick();
  }

  async function tick(): Promise<void> {
    try {
      while (phase !== 'ended' && works?.flow.isActive() === true) {
        await clock.sleep(TICK_MS, stop.signal);
        works.flow.tick();
      }
    } catch (error) {
      // The end of the lane wakes its clock; everything else is a fault of ours.
      if (!stop.signal.aborted) logger.error('session lane stumbled', { ...ids, error });
    } finally {
      isWatching = false;
    }
  }

  async function closeSession(): Promise<void> {
    try {
      await withTimeout(opening?.session?.close() ?? Promise.resolve(), CLOSE_MS);
    } catch (error) {
      logger.warn('session not closed', { ...ids, error });
    }
  }

  run()
    .then(async (reason) => {
      // Ended while it was opening: nobody else knows of this connection.
      if (reason !== undefined || phase === 'ended') await closeSession();
      if (reason !== undefined) end(reason);
    })
    .catch(async (cause: unknown) => {
      const error = asBridgeError(cause);
      if (!(cause instanceof BridgeError)) logger.error('session lane not opened', { ...ids, error });
      end({ reason: 'failed', error });
      await closeSession();
    });

  return {
    ended,
    isEffective: () => isEffective,
    lastMessageAtMs: () => lastMessageAtMs,
    lastStoredAtMs: () => tally.lastStoredAtMs,
    async drain(maxMs) {
      if (phase !== 'open') return;
      phase = 'draining';
      isEffective = false;
      opening?.session?.stopTaking();
      const patience = new AbortController();
      const answered = works?.flow.answered() ?? Promise.resolve();
      const waited = clock.sleep(Math.min(maxMs, LONGEST_DRAIN_MS), patience.signal).catch(() => undefined);
      await Promise.all([Promise.race([answered, waited]), opening?.abort()]);
      patience.abort();
      if (phase === 'draining') phase = 'drained';
    },
    async close() {
      end({ reason: 'closed' });
      await opening?.abort();
      await closeSession();
      await Promise.all([figures.close(), witness.close()]);
    },
  };
}

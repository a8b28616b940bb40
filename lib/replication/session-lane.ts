import type { RocketmqClusterRecord } from '../domain/cluster.ts';
import { BridgeError, BrokerHoldError } from '../domain/errors.ts';
import type { MqttToRocketmqDefinition } from '../domain/task.ts';
import { isFromMqtt } from '../domain/task-path.ts';
import { dialectOf, overlappingFilters } from '../domain/topic-filter-rules.ts';
import { createSessionMessageIds } from '../mapping/message-id.ts';
import type { MqttClusterRecord } from '../ports/mqtt-publisher.ts';
import type { MqttSession } from '../ports/mqtt-session.ts';
import { type CompiledTask, type CompileTask, createCompiledTasks } from './compiled-tasks.ts';
import type { Lane, LaneContext, LaneEnd, OpenLane } from './lane.ts';
import { createLastStored, type LastStored } from './last-stored.ts';
import { unexpected } from './outcome.ts';
import { noQueue, noRocketmq, notCompiled, otherDirection, unreadable } from './prepare-errors.ts';
import { retryWaitMs } from './retry-schedule.ts';
import { createLaneTally } from './session-counts.ts';
import { createLaneHealth } from './session-health.ts';
import { createLaneWorks, type LaneWorks } from './session-lane-flow.ts';
import type { SessionLanePorts } from './session-lane-ports.ts';
import { planSubscription, type SubscriptionPlan } from './session-subscription.ts';
import { withTimeout } from './with-timeout.ts';

/** From the first packet to the subscription. */
const OPEN_MS = 15_000;
const TABLE_MS = 5_000;
const PRODUCER_MS = 10_000;
const UNSUBSCRIBE_MS = 5_000;
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
}

/** What a lane works by, once it is known to be usable. */
interface Prepared {
  definition: MqttToRocketmqDefinition;
  compiled: CompiledTask;
  source: MqttClusterRecord;
  target: RocketmqClusterRecord;
}

/**
 * Makes lanes of the session path: a persistent MQTT session whose PUBACKs are withheld until RocketMQ has stored the message,
 * the task's own queue has taken it, or the hand-over queue has it as a dead letter. So a message may arrive twice, and
 * is never lost. The client id `<prefix>-<taskId>-<lane>` is the same for ever.
 */
export function createSessionLane(ports: SessionLanePorts): OpenLane {
  const memory: Memory = { compileTask: createCompiledTasks(), lastStored: createLastStored() };
  return (context) => openLane(context, { ports, ...memory });
}

function openLane(context: LaneContext, { ports, compileTask, lastStored }: Shared): Lane {
  const { task, lane, mode } = context;
  const { clock, logger, settings, random = Math.random } = ports;
  const ids = { taskId: task.taskId, lane };
  const { promise: ended, resolve } = Promise.withResolvers<LaneEnd>();
  const stop = new AbortController();
  let phase: 'open' | 'draining' | 'drained' | 'ended' = 'open';
  let session: MqttSession | undefined;
  let isEffective = false;
  let isWatching = false;
  let lastMessageAtMs = 0;
  let sessionStartMs = context.memory.sessionStartMs ?? clock.now();
  const idsSince = (startMs: number) => createSessionMessageIds({ ...ids, sessionStartMs: startMs });
  let messageIdOf = idsSince(sessionStartMs);

  const gate = {
    mayBegin: () => phase === 'open' && context.isOurs(),
    mayAccept: () => (phase === 'open' || phase === 'draining') && context.isOurs(),
  };
  const health = createLaneHealth(context.health, () => phase === 'open');
  const tally = createLaneTally(ids, logger);
  let works: LaneWorks | undefined;

  function end(reason: LaneEnd): void {
    if (phase === 'ended') return;
    phase = 'ended';
    isEffective = false;
    stop.abort();
    tally.close(clock.now());
    resolve(reason);
  }

  function prepare(): Prepared {
    const { definition } = task;
    if (context.target.kind !== 'rocketmq') throw noRocketmq();
    if (context.source.kind === 'rocketmq' || !isFromMqtt(definition)) throw otherDirection();
    let compiled: CompiledTask | undefined;
    try {
      compiled = compileTask(task);
    } catch (error) {
      throw notCompiled(error);
    }
    if (compiled === undefined) throw otherDirection();
    return { definition, compiled, source: context.source, target: context.target };
  }

  async function connect(prepared: Prepared, plan: SubscriptionPlan, made: LaneWorks): Promise<MqttSession> {
    const { definition, source } = prepared;
    const { qos, retained } = definition.options;
    const takes = mode === 'forward' || mode === 'buffer';
    return ports.sessions.open(
      {
        cluster: source,
        clientId: `${settings.clientIdPrefix}-${task.taskId}-${lane}`,
        topicFilters: plan.topicFilters,
        removedTopicFilters: plan.removedTopicFilters,
        mustSubscribe: takes && plan.hasChanged,
        qos,
        retained: takes ? retained : 'never',
        ...(plan.shareName === undefined ? {} : { shareName: plan.shareName }),
        receiveMaximum: settings.receiveMaximum,
        maxPendingBytes: settings.maxPendingBytes,
        onDelivery(delivery) {
          // A session that is about to end keeps what it has.
          if (!takes) return;
          lastMessageAtMs = delivery.receivedAtMs;
          made.intake(delivery);
          watch();
        },
        onClosed(error) {
          logger.info('session closed', { ...ids, code: error.code });
          end({ reason: 'failed', error });
        },
      },
      clock.now() + OPEN_MS,
    );
  }

  /** Before the SUBSCRIBE everything the session may know from then on, after it what it does know. */
  async function remember(subscribedFilters: readonly string[]): Promise<boolean> {
    const memory = { subscribedFilters, sessionStartMs };
    return inTime(context.remember(memory), TABLE_MS).catch((error: unknown) => {
      throw unreadable(error);
    });
  }

  const mayGoOn = () => phase === 'open' && context.isOurs();

  /** Opens the session; undefined when the lease was lost, or the lane told to end, on the way. */
  async function openSession(
    prepared: Prepared,
    plan: SubscriptionPlan,
    made: LaneWorks,
  ): Promise<MqttSession | undefined> {
    const both = [...plan.subscribed, ...plan.removedTopicFilters];
    if (plan.hasChanged && !(await remember(both))) return undefined;
    await inTime(made.load(), TABLE_MS).catch((error: unknown) => {
      throw unreadable(error);
    });
    if (!mayGoOn()) return undefined;
    session = await connect(prepared, plan, made);
    if (!mayGoOn()) return undefined;
    const isNew = !session.isResumed || context.memory.sessionStartMs === undefined;
    if (!session.isResumed) {
      sessionStartMs = clock.now();
      messageIdOf = idsSince(sessionStartMs);
    }
    const isKept = mode === 'forward' || mode === 'buffer';
    if (isKept && (plan.hasChanged || isNew) && !(await remember(plan.subscribed))) return undefined;
    return session;
  }

  async function run(): Promise<LaneEnd | undefined> {
    const prepared = prepare();
    const plan = planSubscription(
      task.taskId,
      prepared.definition,
      context.memory,
      dialectOf(prepared.source.kind),
    );
    const made = createLaneWorks({
      context,
      ...prepared,
      cluster: prepared.target,
      plan,
      dropsOverlap: () => !plan.hasChanged || session?.isResumed === false,
      messageId: ({ message, packetId }) => messageIdOf(message, packetId),
      gate,
      tally,
      health,
      lastStored,
      ports,
    });
    works = made;
    if (mode === 'buffer' && !made.hasQueue) throw noQueue();
    const opened = await openSession(prepared, plan, made);
    if (opened === undefined) return { reason: 'closed' };
    if (mode === 'discard' || mode === 'end') return leave(opened);
    if (opened.protocolVersion === 4) refuseOverlap(prepared);
    logger.info('session open', { ...ids, isResumed: opened.isResumed, version: opened.protocolVersion });
    watch();
    if (mode === 'forward') await reachTarget(prepared.target);
    if (mayGoOn()) {
      isEffective = true;
      health.working();
    }
    return undefined;
  }

  /** The session has done its work: unsubscribed, or gone altogether. */
  async function leave(open: MqttSession): Promise<LaneEnd> {
    if (mode === 'discard') await inTime(open.unsubscribe(), UNSUBSCRIBE_MS);
    else await inTime(open.close({ endSession: true }), UNSUBSCRIBE_MS);
    return (await remember([])) ? { reason: 'done' } : { reason: 'closed' };
  }

  /** Until the producer can be made: what arrives meanwhile goes to the task's queue. */
  async function reachTarget(target: RocketmqClusterRecord): Promise<void> {
    for (let attempt = 1; phase === 'open'; attempt += 1) {
      try {
        await inTime(ports.producers.producerFor(target), PRODUCER_MS);
        return;
      } catch (error) {
        health.failing(error instanceof BridgeError ? error : unexpected(error));
        await clock
          .sleep(retryWaitMs(attempt, PRODUCER_RETRY_MS, random), stop.signal)
          .catch(() => undefined);
      }
    }
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
      if (session !== undefined) await withTimeout(session.close(), CLOSE_MS);
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
      const error = cause instanceof BridgeError ? cause : unexpected(cause);
      if (!(cause instanceof BridgeError)) logger.error('session lane not opened', { ...ids, error });
      health.failing(error);
      end({ reason: 'failed', error });
      await closeSession();
    });

  return {
    ended,
    isEffective: () => isEffective,
    lastMessageAtMs: () => lastMessageAtMs,
    async drain(maxMs) {
      if (phase !== 'open') return;
      phase = 'draining';
      isEffective = false;
      session?.stopTaking();
      const patience = new AbortController();
      const answered = works?.flow.answered() ?? Promise.resolve();
      const waited = clock.sleep(Math.min(maxMs, LONGEST_DRAIN_MS), patience.signal).catch(() => undefined);
      await Promise.race([answered, waited]);
      patience.abort();
      if (phase === 'draining') phase = 'drained';
    },
    async close() {
      end({ reason: 'closed' });
      await closeSession();
    },
  };
}

/** MQTT 3.1.1 does not tell by which filter a copy came, so that one could not be told from a second message. */
function refuseOverlap({ definition, source }: Prepared): void {
  const [overlap] = overlappingFilters(definition.source.topicFilters, dialectOf(source.kind));
  if (overlap === undefined) return;
  throw new BrokerHoldError(
    `the broker speaks MQTT 3.1.1, and ${overlap.field} matches some of the same topics as source.topicFilters[${overlap.other}]`,
    {
      code: 'TOPIC_FILTERS_OVERLAP',
      scope: 'cluster',
      hint: 'Make the filters disjoint, or make a task for each of them.',
    },
  );
}

/** The promise's value; rejects when it takes longer. */
async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  const answer = await withTimeout(
    promise.then((value) => ({ value })),
    ms,
  );
  if (answer === undefined) throw new Error(`no answer within ${ms} ms`);
  return answer.value;
}

import { type BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { dialectOf, overlappingFilters } from '../../domain/rules/topic-filter-rules.ts';
import { createSessionMessageIds } from '../../mapping/message-id.ts';
import type { MqttSession, SessionDelivery, SessionOptions } from '../../ports/mqtt-session.ts';
import { unreadable } from '../prepare-errors.ts';
import type { LaneContext } from '../shifts/lane.ts';
import { inTime, withTimeout } from '../with-timeout.ts';
import type { SessionLanePorts } from './session-lane-ports.ts';
import type { PreparedLane } from './session-prepare.ts';
import { planSubscription, type SubscriptionPlan } from './session-subscription.ts';

/** From the first packet to the subscription. */
const OPEN_MS = 15_000;
const TABLE_MS = 5_000;
const LEAVE_MS = 5_000;
/** A connection that is given up is gone at once; what is waited for here is at most an answer of the secret store. */
const ABORT_MS = 2_000;

/** How one lane comes to its session, and leaves it; keeps the lane's memory true meanwhile. */
export interface SessionOpening {
  readonly plan: SubscriptionPlan;
  /** Open, or opened and closed by now. */
  readonly session: MqttSession | undefined;
  /** Undefined: the lease was lost, or the lane told to end, on the way. Throws a `BridgeError`. */
  open(): Promise<MqttSession | undefined>;
  /** Modes `discard` and `end`: unsubscribes, or ends the session. False: the lease was lost. */
  leave(session: MqttSession): Promise<boolean>;
  /** Gives up whatever connects; resolves when nothing can throw a new owner out any more. An open session stays. */
  abort(): Promise<void>;
  /** Whether a copy that came by another filter than the lowest matching one may be left out. */
  dropsOverlap(): boolean;
  /** `mqferry_id` of a delivery. */
  messageId(delivery: SessionDelivery): string;
}

export function createSessionOpening(options: {
  context: LaneContext;
  prepared: Pick<PreparedLane, 'definition' | 'source'>;
  ports: Pick<SessionLanePorts, 'sessions' | 'clock' | 'settings'>;
  /** The lease is ours, and the lane was not told to end. */
  mayGoOn(): boolean;
  /** What has to be known before the first message comes. */
  load(): Promise<void>;
  onDelivery: SessionOptions['onDelivery'];
  onClosed: SessionOptions['onClosed'];
}): SessionOpening {
  const { context, prepared, ports, mayGoOn } = options;
  const { task, lane, mode, memory } = context;
  const { clock, settings } = ports;
  const plan = planSubscription(task.taskId, prepared.definition, memory, dialectOf(prepared.source.kind));
  const isLeaving = mode === 'discard' || mode === 'end';
  const aborting = new AbortController();
  let connecting: Promise<unknown> = Promise.resolve();
  let session: MqttSession | undefined;
  let sessionStartMs = memory.sessionStartMs ?? clock.now();
  const idsSince = (startMs: number) =>
    createSessionMessageIds({ taskId: task.taskId, lane, sessionStartMs: startMs });
  let messageIdOf = idsSince(sessionStartMs);

  async function remember(subscribedFilters: readonly string[], grantedQos?: 0 | 1 | 2): Promise<boolean> {
    const granted = grantedQos === undefined ? {} : { grantedQos };
    return inTime(context.remember({ subscribedFilters, sessionStartMs, ...granted }), TABLE_MS).catch(
      (error: unknown) => {
        throw unreadable(error);
      },
    );
  }

  /** Everything that the session may know from now on: who comes after us, if we fail, has to begin from there. */
  async function rememberBoth(): Promise<void> {
    if (!(await remember([...plan.subscribed, ...plan.removedTopicFilters]))) throw leaseLost();
  }

  function sessionOptions(): SessionOptions {
    const { definition, source } = prepared;
    const { qos, retained } = definition.options;
    const overlap = isLeaving ? undefined : overlapError(prepared);
    return {
      cluster: source,
      clientId: `${settings.clientIdPrefix}-${task.taskId}-${lane}`,
      topicFilters: plan.topicFilters,
      removedTopicFilters: plan.removedTopicFilters,
      mustSubscribe: !isLeaving && plan.hasChanged,
      beforeSubscribing: rememberBoth,
      isLeaving,
      qos,
      retained: isLeaving ? 'never' : retained,
      ...(plan.shareName === undefined ? {} : { shareName: plan.shareName }),
      ...(overlap === undefined ? {} : { needsMqtt5: () => overlap }),
      receiveMaximum: settings.receiveMaximum,
      maxPendingBytes: settings.maxPendingBytes,
      signal: aborting.signal,
      onDelivery: options.onDelivery,
      onClosed: options.onClosed,
    };
  }

  /** Lets `abort` wait for it. */
  function abortable<T>(promise: Promise<T>): Promise<T> {
    connecting = promise.catch(() => undefined);
    return promise;
  }

  return {
    plan,
    get session() {
      return session;
    },
    async open() {
      await inTime(options.load(), TABLE_MS).catch((error: unknown) => {
        throw unreadable(error);
      });
      if (!mayGoOn()) return undefined;
      session = await abortable(ports.sessions.open(sessionOptions(), clock.now() + OPEN_MS));
      if (!mayGoOn()) return undefined;
      const isNew = !session.isResumed || memory.sessionStartMs === undefined;
      if (!session.isResumed) {
        sessionStartMs = clock.now();
        messageIdOf = idsSince(sessionStartMs);
      }
      const isNews = !isLeaving && (plan.hasChanged || isNew);
      if (isNews && !(await remember(plan.subscribed, prepared.definition.options.qos))) return undefined;
      return session;
    },
    async leave(open) {
      await rememberBoth();
      const left = mode === 'discard' ? open.unsubscribe() : open.close({ endSession: true });
      await inTime(abortable(left), LEAVE_MS);
      return remember([]);
    },
    async abort() {
      aborting.abort();
      await withTimeout(connecting, ABORT_MS);
    },
    dropsOverlap: () => !plan.hasChanged || session?.isResumed === false,
    messageId: ({ message, packetId }) => messageIdOf(message, packetId),
  };
}

/** MQTT 3.1.1 does not tell by which filter a copy came, so that one could not be told from a second message. */
function overlapError({
  definition,
  source,
}: Pick<PreparedLane, 'definition' | 'source'>): BridgeError | undefined {
  const [overlap] = overlappingFilters(definition.source.topicFilters, dialectOf(source.kind));
  if (overlap === undefined) return undefined;
  return new BrokerHoldError(
    `the broker speaks MQTT 3.1.1, and ${overlap.field} matches some of the same topics as source.topicFilters[${overlap.other}]`,
    {
      code: 'TOPIC_FILTERS_OVERLAP',
      scope: 'cluster',
      hint: 'Make the filters disjoint, or make a task for each of them.',
    },
  );
}

function leaseLost(): BridgeError {
  return new BrokerUnavailableError('opening a session: the lease went to another owner', {
    code: 'DEADLINE_PASSED',
  });
}

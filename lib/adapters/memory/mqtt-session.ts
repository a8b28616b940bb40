import { type BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { copyKeys, matches } from '../../domain/topics/topic-filter.ts';
import { withShare } from '../../domain/topics/topic-filter-syntax.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MqttSession, MqttSessions, SessionOptions } from '../../ports/mqtt-session.ts';
import { MemoryConnection } from './mqtt-session-connection.ts';
import { type BrokerMessage, StoredSession } from './mqtt-session-store.ts';

/** One broker in memory. */
export interface MemoryMqttBroker {
  /** Every cluster is this broker. */
  readonly sessions: MqttSessions;
  /** Into every session with a matching subscription, connected or not; one copy for each subscription identifier. */
  publish(message: BrokerMessage): void;
  /** From now on this is answered, to every CONNECT or to every SUBSCRIBE; undefined: to none any more. */
  refuse(error: BridgeError | undefined, packet?: 'connect' | 'subscribe'): void;
  /** Ends the client's connection as a broken network does. */
  disconnect(clientId: string, error?: BridgeError): void;
  isConnected(clientId: string): boolean;
  /** Filters as subscribed (`$share/…` included); undefined: there is no such session. */
  subscriptions(clientId: string): readonly string[] | undefined;
  /** Messages that the session keeps until they are acknowledged. */
  kept(clientId: string): number;
  /** With what sessions were opened, oldest first. */
  readonly opened: readonly SessionOptions[];
}

/** @param options.queueLimit - what a session keeps beyond what is under way; more is dropped in silence, as brokers do */
export function createMemoryMqttBroker(options: {
  clock: Pick<Clock, 'now'>;
  queueLimit?: number;
  protocolVersion?: 4 | 5;
}): MemoryMqttBroker {
  const { clock, queueLimit = Number.POSITIVE_INFINITY, protocolVersion = 5 } = options;
  const stored = new Map<string, StoredSession>();
  const connections = new Map<string, MemoryConnection>();
  const retained = new Map<string, BrokerMessage>();
  const opened: SessionOptions[] = [];
  const refusals: { connect?: BridgeError | undefined; subscribe?: BridgeError | undefined } = {};
  let turn = 0;

  function subscribe(session: StoredSession, wanted: SessionOptions): void {
    if (refusals.subscribe !== undefined) throw refusals.subscribe;
    const keys = copyKeys(wanted.topicFilters);
    for (const [index, topicFilter] of wanted.topicFilters.entries()) {
      const subscribed = withShare(topicFilter, wanted.shareName);
      const isNew = session.subscribe(subscribed, { topicFilter, copyKey: keys[index] ?? '' }, wanted.qos);
      // MQTT 5 §4.8.2: shared subscriptions get no retained messages.
      if (!isNew || wanted.retained === 'never' || wanted.shareName !== undefined) continue;
      for (const message of retained.values()) {
        if (matches(topicFilter, message.topicName)) session.put(message, subscribed);
      }
    }
  }

  async function prepare(session: StoredSession, wanted: SessionOptions, isResumed: boolean): Promise<void> {
    const subscribes = wanted.isLeaving !== true && (!isResumed || wanted.mustSubscribe);
    const removed = isResumed ? wanted.removedTopicFilters : [];
    if (subscribes || removed.length > 0) await wanted.beforeSubscribing?.();
    if (subscribes) subscribe(session, wanted);
    for (const subscribed of removed) session.unsubscribe(subscribed);
  }

  /** Of the sessions that share a subscription one gets the message; those that are away only when nobody is there. */
  function deal(message: BrokerMessage): void {
    const shares = new Map<string, StoredSession[]>();
    for (const session of stored.values()) {
      for (const { subscribed, isShared } of session.matching(message.topicName)) {
        if (!isShared) session.put(message, subscribed);
        else shares.set(subscribed, [...(shares.get(subscribed) ?? []), session]);
      }
    }
    for (const [subscribed, members] of shares) {
      const present = members.filter(({ clientId }) => connections.has(clientId));
      const candidates = present.length > 0 ? present : members;
      turn += 1;
      candidates[turn % candidates.length]?.put(message, subscribed);
    }
  }

  async function open(sessionOptions: SessionOptions): Promise<MqttSession> {
    opened.push(sessionOptions);
    const { clientId, needsMqtt5, signal } = sessionOptions;
    if (signal?.aborted) throw abandoned();
    if (refusals.connect !== undefined) throw refusals.connect;
    if (protocolVersion === 4 && needsMqtt5 !== undefined) throw needsMqtt5();
    connections.get(clientId)?.lose(takenOver());
    const known = stored.get(clientId);
    const session = known ?? new StoredSession(clientId, queueLimit);
    stored.set(clientId, session);
    session.resume();
    await prepare(session, sessionOptions, known !== undefined);
    if (signal?.aborted) throw abandoned();
    const connection = new MemoryConnection({
      session,
      options: sessionOptions,
      isResumed: known !== undefined,
      protocolVersion,
      now: () => clock.now(),
      onGone: (endSession) => {
        if (connections.get(clientId) === connection) connections.delete(clientId);
        if (endSession) stored.delete(clientId);
      },
    });
    connections.set(clientId, connection);
    connection.deliver();
    return connection;
  }

  return {
    sessions: { open },
    publish(message) {
      if (message.retain === true) {
        if (message.payload.length === 0) retained.delete(message.topicName);
        else retained.set(message.topicName, message);
      }
      deal(message);
      for (const connection of connections.values()) connection.deliver();
    },
    refuse: (error, packet = 'connect') => {
      refusals[packet] = error;
    },
    disconnect(clientId, error = new BrokerUnavailableError('the connection to the MQTT broker was lost')) {
      connections.get(clientId)?.lose(error);
    },
    isConnected: (clientId) => connections.has(clientId),
    subscriptions: (clientId) => stored.get(clientId)?.subscribed(),
    kept: (clientId) => stored.get(clientId)?.kept ?? 0,
    opened,
  };
}

function abandoned(): BridgeError {
  return new BrokerUnavailableError('connecting to the MQTT broker: not wanted any more', {
    code: 'DEADLINE_PASSED',
  });
}

function takenOver(): BridgeError {
  return new BrokerHoldError('another client connected with our client identifier', {
    code: 'CLIENT_ID_TAKEN',
    scope: 'cluster',
  });
}

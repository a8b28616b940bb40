import { BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MqttClusterRecord } from '../../ports/mqtt-publisher.ts';
import type { MqttSession, MqttSessions, SessionOptions } from '../../ports/mqtt-session.ts';
import type { MqttProtocolVersion } from './client-options.ts';
import { ConnectPatience } from './connect-patience.ts';
import { abandoned } from './errors.ts';
import { ProtocolChoice } from './protocol-choice.ts';
import { type SessionAddress, SessionConnection } from './session-connection.ts';

/**
 * How long a broker keeps a session that nobody is connected to, in seconds: as long as SQS keeps what is in a task's queue.
 * A broker may make it less [MQTT-3.2.2-21]; 3.1.1 knows no such bound.
 */
const SESSION_EXPIRY_SECONDS = 14 * 86_400;
/** Ending a session has no deadline of the caller's. */
const END_TIMEOUT_MS = 10_000;
/** More clusters than a shift works for; what is known of the oldest is forgotten. */
const MAX_CLUSTERS = 1_000;

/** Where a cluster's broker is, and how to get in. Throws a `BridgeError`. */
export type AddressOf = (
  cluster: MqttClusterRecord,
  client: { clientId: string; protocolVersion: MqttProtocolVersion; fresh: boolean },
) => Promise<Omit<SessionAddress, 'protocolVersion'>>;

/** What is remembered of a cluster. */
interface Known {
  choice: ProtocolChoice;
  patience: ConnectPatience;
  /** The broker refused the credentials: they are to be read anew. */
  isStale: boolean;
}

/**
 * Sessions by MQTT.js: MQTT 5, and 3.1.1 where the broker does not speak it.
 *
 * @param options.addressOf - asked for each connection, since credentials change; `fresh`: the broker refused the last ones
 */
export function createMqttSessions({
  addressOf,
  clock,
}: {
  addressOf: AddressOf;
  clock: Pick<Clock, 'now'>;
}): MqttSessions {
  const clusters = new Map<string, Known>();

  function knownOf({ clusterId, version }: MqttClusterRecord): Known {
    const key = `${clusterId} ${version}`;
    const known = clusters.get(key) ?? {
      choice: new ProtocolChoice(),
      patience: new ConnectPatience(),
      isStale: false,
    };
    keepRecent(clusters, key, known, MAX_CLUSTERS);
    return known;
  }

  async function connectBy(
    protocolVersion: MqttProtocolVersion,
    { options, deadlineMs, lasts }: Opening,
    known: Known,
  ): Promise<SessionConnection> {
    const { cluster, clientId, receiveMaximum, needsMqtt5, signal } = options;
    if (protocolVersion === 4 && needsMqtt5 !== undefined) throw needsMqtt5();
    const fresh = known.isStale;
    known.isStale = false;
    const { url, options: given } = await addressOf(cluster, { clientId, protocolVersion, fresh });
    if (signal?.aborted === true) throw abandoned();
    const remainingMs = deadlineMs - clock.now();
    if (remainingMs <= 0) throw noTimeLeft();
    const clientOptions = {
      ...given,
      clean: lasts === 'ends',
      ...(protocolVersion === 5 ? { properties: propertiesOf(lasts, receiveMaximum) } : {}),
    };
    try {
      return await known.patience.attempt(clock, async (patienceMs) => {
        const connectTimeout = Math.min(patienceMs, remainingMs);
        const connection = new SessionConnection(
          {
            ...{ url, protocolVersion, options: { ...clientOptions, connectTimeout } },
            hasStray: () => known.patience.hasStray(clock.now()),
          },
          options,
          clock,
        );
        await connection.connect();
        return connection;
      });
    } catch (error) {
      known.isStale = error instanceof BridgeError && error.code === 'CREDENTIALS_REFUSED';
      throw error;
    }
  }

  async function connect(opening: Opening): Promise<SessionConnection> {
    const { needsMqtt5: _, ...options } = opening.options;
    const { cluster } = options;
    const known = knownOf(cluster);
    const by = (version: MqttProtocolVersion) => connectBy(version, opening, known);
    if (cluster.kind === 'aws-iot') return await by(5);
    return await known.choice.open(by, async () => {
      // Only to see whether the broker lets us in: messages are for the connection that stays.
      const probe = await connectBy(4, { ...opening, options: { ...options, isLeaving: true } }, known);
      await probe.close();
    });
  }

  /** A clean start ends the session of this client, and CONNACK says that it has: a DISCONNECT is never answered. */
  async function endSession(options: SessionOptions): Promise<void> {
    const connection = await connect({ options, deadlineMs: clock.now() + END_TIMEOUT_MS, lasts: 'ends' });
    await connection.close();
  }

  return {
    async open(options, deadlineMs) {
      const connection = await connect({ options, deadlineMs, lasts: 'stays' });
      await withinDeadline(connection, deadlineMs - clock.now());
      return sessionOf(connection, () => endSession(options));
    },
  };
}

interface Opening {
  options: SessionOptions;
  deadlineMs: number;
  lasts: 'stays' | 'ends';
}

/** No topic aliases are allowed, which is the default (§3.1.2.11.5). */
function propertiesOf(lasts: Opening['lasts'], receiveMaximum: number) {
  return {
    sessionExpiryInterval: lasts === 'stays' ? SESSION_EXPIRY_SECONDS : 0,
    receiveMaximum,
  };
}

/** SUBACKs have no timeout in MQTT.js; without an answer in time the connection is of no use. */
async function withinDeadline(connection: SessionConnection, remainingMs: number): Promise<void> {
  const timer = setTimeout(
    () => {
      const error = new BrokerUnavailableError('subscribing at the MQTT broker: no answer in time', {
        code: 'TARGET_TIMEOUT',
      });
      void connection.giveUp(error);
    },
    Math.max(remainingMs, 0),
  );
  try {
    await connection.prepare();
  } finally {
    clearTimeout(timer);
  }
}

function noTimeLeft(): BridgeError {
  return new BrokerUnavailableError('connecting to the MQTT broker: no time is left', {
    code: 'DEADLINE_PASSED',
  });
}

function sessionOf(connection: SessionConnection, endSession: () => Promise<void>): MqttSession {
  return {
    isResumed: connection.isResumed,
    protocolVersion: connection.protocolVersion,
    stopTaking: () => connection.stopTaking(),
    unsubscribe: () => connection.unsubscribe(),
    async close(options = {}) {
      await connection.close();
      if (options.endSession === true) await endSession();
    },
  };
}

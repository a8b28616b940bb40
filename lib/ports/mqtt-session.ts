import type { BridgeError } from '../domain/errors/errors.ts';
import type { MqttMessage } from '../domain/messages/message.ts';
import type { MqttClusterRecord } from './mqtt-publisher.ts';

/** What a delivery that waits takes in memory beside its packet: measured, about 1,090 bytes of heap for a packet of 33. */
export const HELD_DELIVERY_BYTES = 1_024;

/** One PUBLISH that a session took in. Its PUBACK is withheld until `accept` is called. */
export interface SessionDelivery {
  message: MqttMessage;
  /** Absent for QoS 0, which has no acknowledgement. */
  packetId?: number;
  isDuplicate: boolean;
  /**
   * The broker sent it because we subscribed, not because it was published now. MQTT 3.1.1 only: with Retain As Published,
   * which MQTT 5 subscriptions ask for, no flag tells the two apart, and this is false.
   */
  isRetained: boolean;
  /**
   * Index of the topic filter it came by, of the filters given to `open`; absent where the broker does not tell (MQTT 3.1.1).
   */
  filterIndex?: number;
  /** Of its packet. Against `maxPendingBytes` it counts that and `HELD_DELIVERY_BYTES`. */
  bytes: number;
  /** Epoch ms of the first receipt on this connection. */
  receivedAtMs: number;
  /**
   * The message is stored elsewhere: may be acknowledged. PUBACKs leave in the order of arrival [MQTT-4.6.0-2], so it may wait
   * for earlier ones. Of a connection that is gone it does nothing: the broker sends the message again.
   */
  accept(): void;
}

export interface SessionOptions {
  cluster: MqttClusterRecord;
  /** The same for ever: another one would be another session. */
  clientId: string;
  topicFilters: readonly string[];
  /**
   * Filters that an earlier definition had and this one has not, as they were subscribed (`withShare`): unsubscribed, since
   * the session remembers.
   */
  removedTopicFilters: readonly string[];
  /** True: SUBSCRIBE although the session is there, because it may be subscribed to something else. */
  mustSubscribe: boolean;
  /**
   * Awaited right before the session's subscriptions change: whoever wants to know them has to write it down by then. When it
   * rejects nothing is changed, and `open` rejects with the same.
   */
  beforeSubscribing?(): Promise<void>;
  qos: 0 | 1 | 2;
  /** Whether the broker may send retained messages when a subscription is new. */
  retained: 'new-subscription' | 'never';
  /** With it the filters are subscribed as `$share/<shareName>/<filter>`: lanes of one task. */
  shareName?: string;
  /** Client and broker may have so many unacknowledged messages between them (Receive Maximum, MQTT 5). */
  receiveMaximum: number;
  /** Beyond so many bytes in `SessionDelivery`s that are not accepted yet, and for them, the socket is not read. */
  maxPendingBytes: number;
  /** The session is about to be left: nothing is subscribed to, and no message is taken. */
  isLeaving?: boolean;
  /**
   * Given where MQTT 3.1.1 will not do: the error that `open` rejects with, before it takes any message, when the broker
   * speaks nothing else.
   */
  needsMqtt5?(): BridgeError;
  /**
   * Aborted: `open`, and the connection by which `close` ends a session, are given up at once. An open session knows nothing
   * of it.
   */
  signal?: AbortSignal;
  /**
   * Called in order of arrival, never after `close` or `stopTaking`; also before `open` has resolved: a broker sends what it
   * has queued as soon as it knows who we are. Must not throw.
   */
  onDelivery(delivery: SessionDelivery): void;
  /**
   * The connection is gone and will not come back by itself: every delivery that was not accepted comes again. Codes
   * `CONNECTION_CLOSED` and, by a reset, `CONNECTION_RESET`: a broker of MQTT 3.1.1 gave no reason, as when another client
   * takes over. `CONNECTION_LOST`: a broker of MQTT 5 gave none, which is no takeover. Called once at most; never before `open` has resolved, nor after `close` or `stopTaking`, since then a takeover is expected.
   */
  onClosed(error: BridgeError): void;
}

/** One connection to one persistent session. It is never connected anew: `onClosed` ends it. */
export interface MqttSession {
  /** False: the broker had no session of this client, so what was published meanwhile is not here. */
  readonly isResumed: boolean;
  readonly protocolVersion: 4 | 5;
  /** Takes no further packet; those taken can still be accepted. */
  stopTaking(): void;
  /** Unsubscribes from all filters: nothing more arrives, now or later. */
  unsubscribe(): Promise<void>;
  /**
   * Leaves the broker's session for whoever takes it over. Nothing is accepted any more.
   *
   * @param options.endSession - true: the broker forgets session, subscriptions and queued messages
   */
  close(options?: { endSession?: boolean }): Promise<void>;
}

/** Opens sessions. Throws `BridgeError` when the secret cannot be read, the broker is not reached, or it refuses us. */
export interface MqttSessions {
  open(options: SessionOptions, deadlineMs: number): Promise<MqttSession>;
}

import type { BridgeError } from '../../domain/errors/errors.ts';
import { copyKeys } from '../../domain/topics/topic-filter.ts';
import {
  HELD_DELIVERY_BYTES,
  type MqttSession,
  type SessionDelivery,
  type SessionOptions,
} from '../../ports/mqtt-session.ts';
import type { Kept, StoredSession } from './mqtt-session-store.ts';

/** What this connection has sent and nobody has acknowledged. */
interface Sent {
  kept: Kept;
  isAccepted: boolean;
}

/** A connection to a session in memory. */
export class MemoryConnection implements MqttSession {
  readonly isResumed: boolean;
  readonly protocolVersion: 4 | 5;
  readonly #session: StoredSession;
  readonly #options: SessionOptions;
  readonly #copyKeys: readonly string[];
  readonly #now: () => number;
  readonly #onGone: (endSession: boolean) => void;
  /** In order of arrival. */
  #unacknowledged: Sent[] = [];
  #pendingBytes = 0;
  #isDelivering = false;
  #state: 'open' | 'stopped' | 'gone' = 'open';

  constructor(made: {
    session: StoredSession;
    options: SessionOptions;
    isResumed: boolean;
    protocolVersion: 4 | 5;
    now: () => number;
    onGone: (endSession: boolean) => void;
  }) {
    this.isResumed = made.isResumed;
    this.protocolVersion = made.protocolVersion;
    this.#copyKeys = made.protocolVersion === 5 ? copyKeys(made.options.topicFilters) : [];
    this.#session = made.session;
    this.#options = made.options;
    this.#now = made.now;
    this.#onGone = made.onGone;
  }

  /** Sends what may be sent, soon: whoever publishes or accepts is not called back within that call. */
  deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    setImmediate(() => {
      this.#isDelivering = false;
      while (this.#mayDeliver()) {
        const next = this.#session.takeNext();
        if (next === undefined) return;
        this.#send(next.kept, next.isDuplicate);
      }
    });
  }

  /** The connection ends, and not because we wanted it. */
  lose(error: BridgeError): void {
    if (this.#state === 'gone') return;
    const isExpected = this.#state === 'stopped';
    this.#leave(false);
    if (!isExpected) this.#options.onClosed(error);
  }

  stopTaking(): void {
    if (this.#state === 'open') this.#state = 'stopped';
  }

  async unsubscribe(): Promise<void> {
    this.#session.unsubscribeAll();
  }

  async close(options: { endSession?: boolean } = {}): Promise<void> {
    this.#leave(options.endSession === true);
  }

  #leave(endSession: boolean): void {
    this.#state = 'gone';
    this.#unacknowledged = [];
    this.#onGone(endSession);
  }

  #mayDeliver(): boolean {
    return (
      this.#state === 'open' &&
      this.#options.isLeaving !== true &&
      this.#unacknowledged.length < this.#options.receiveMaximum &&
      this.#pendingBytes < this.#options.maxPendingBytes
    );
  }

  #send(kept: Kept, isDuplicate: boolean): void {
    const { onDelivery } = this.#options;
    const { message, qos, copyKey, packetId } = kept;
    const sent: Sent = { kept, isAccepted: false };
    const filterIndex = this.#copyKeys.indexOf(copyKey);
    const bytes = message.payload.length + message.topicName.length;
    this.#pendingBytes += bytes + HELD_DELIVERY_BYTES;
    if (qos === 1) this.#unacknowledged.push(sent);
    const delivery: SessionDelivery = {
      message: { userProperties: [], ...message, qos, retain: message.retain ?? false },
      ...(qos === 0 ? {} : { packetId }),
      isDuplicate,
      isRetained: false,
      ...(filterIndex < 0 ? {} : { filterIndex }),
      bytes,
      receivedAtMs: this.#now(),
      accept: () => {
        if (sent.isAccepted || this.#state === 'gone') return;
        sent.isAccepted = true;
        this.#pendingBytes -= bytes + HELD_DELIVERY_BYTES;
        this.#acknowledge();
        this.deliver();
      },
    };
    onDelivery(delivery);
  }

  /** [MQTT-4.6.0-2]: in the order of arrival. */
  #acknowledge(): void {
    for (let first = this.#unacknowledged[0]; first?.isAccepted; first = this.#unacknowledged[0]) {
      this.#unacknowledged.shift();
      this.#session.acknowledge(first.kept);
    }
  }
}

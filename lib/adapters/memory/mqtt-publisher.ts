import {
  type BridgeError,
  BrokerUnavailableError,
  PayloadTooLargeError,
} from '../../domain/errors/errors.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import { checkOutgoingMqttMessage } from '../../domain/messages/mqtt-limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  MqttClusterRecord,
  MqttPublisher,
  MqttPublishers,
  PublishResult,
} from '../../ports/mqtt-publisher.ts';

/** What the broker says to one message: undefined takes it. A promise keeps the answer waiting. */
export type PublishVerdict = (
  message: OutgoingMqttMessage,
) => BridgeError | undefined | Promise<BridgeError | undefined>;

export interface MemoryMqttPublisher extends MqttPublisher {
  /** What was taken, in the order of the answers. */
  readonly published: readonly OutgoingMqttMessage[];
  /** How many publishes were begun and are not answered. */
  readonly inFlight: number;
  /** How many calls of `check` came. */
  readonly checks: number;
  readonly isClosed: boolean;
  /** From now on asked for each message that passes the checks; a message that it fails with `maybeStored` is taken too. */
  decide(verdict: PublishVerdict): void;
  /** The broker is away: `check` and new publishes fail with the error, what is in flight may have been taken. */
  goAway(error?: BridgeError): void;
  comeBack(): void;
}

const AWAY = new BrokerUnavailableError('connecting to the MQTT broker: it is away', {
  code: 'TARGET_UNREACHABLE',
});

/** An MQTT broker in memory; keeps the promises of the port, order and refusals included. */
export function createMemoryMqttPublisher(options: {
  clock: Clock;
  /** Default: 256 MiB, as MQTT has it. */
  maxPayloadBytes?: number;
}): MemoryMqttPublisher {
  const { clock, maxPayloadBytes = 256 * 1024 * 1024 } = options;
  const published: OutgoingMqttMessage[] = [];
  const underWay = new Set<(error: BridgeError) => void>();
  let verdict: PublishVerdict = () => undefined;
  let away: BridgeError | undefined;
  let checks = 0;
  let isClosed = false;

  function refusal(message: OutgoingMqttMessage, deadlineMs: number): BridgeError | undefined {
    if (isClosed)
      return new BrokerUnavailableError('publishing: the publisher is closed', { code: 'NOT_SENT' });
    if (message.payload.length > maxPayloadBytes) {
      return new PayloadTooLargeError('publishing: the payload is larger than the broker takes');
    }
    return checkOutgoingMqttMessage(message) ?? away ?? passed(clock.now(), deadlineMs);
  }

  /** The verdict, or why there will be none. */
  async function answer(message: OutgoingMqttMessage): Promise<BridgeError | undefined> {
    const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<BridgeError>();
    underWay.add(interrupt);
    try {
      return await Promise.race([verdict(message), interrupted]);
    } finally {
      underWay.delete(interrupt);
    }
  }

  function interruptAll(message: string): void {
    for (const interrupt of underWay) {
      interrupt(new BrokerUnavailableError(`publishing: ${message}`, { maybeStored: true }));
    }
  }

  return {
    published,
    get inFlight() {
      return underWay.size;
    },
    get checks() {
      return checks;
    },
    get isClosed() {
      return isClosed;
    },
    decide(next) {
      verdict = next;
    },
    goAway(error = AWAY) {
      away = error;
      interruptAll('the connection was lost');
    },
    comeBack() {
      away = undefined;
    },
    async publish(message, { deadlineMs, maySend }): Promise<PublishResult> {
      const error = refusal(message, deadlineMs) ?? notAllowed(maySend) ?? (await answer(message));
      if (error === undefined || error.maybeStored) published.push(message);
      return error === undefined ? { status: 'accepted' } : { status: 'failed', error };
    },
    async check(deadlineMs) {
      checks += 1;
      const error = away ?? passed(clock.now(), deadlineMs);
      if (error !== undefined) throw error;
    },
    async close() {
      isClosed = true;
      interruptAll('the publisher was closed');
    },
  };
}

export interface MemoryMqttPublishers extends MqttPublishers {
  /** Each `open` so far. */
  readonly opened: readonly { cluster: MqttClusterRecord; clientId: string }[];
}

/** Every cluster gets the same publisher. */
export function createMemoryMqttPublishers(publisher: MqttPublisher): MemoryMqttPublishers {
  const opened: { cluster: MqttClusterRecord; clientId: string }[] = [];
  return {
    opened,
    async open(cluster, { clientId }) {
      opened.push({ cluster, clientId });
      return publisher;
    },
    close: () => publisher.close(),
  };
}

function notAllowed(maySend: (() => boolean) | undefined): BridgeError | undefined {
  if (maySend === undefined || maySend()) return undefined;
  return new BrokerUnavailableError('publishing: not allowed any more', { code: 'NOT_SENT' });
}

function passed(nowMs: number, deadlineMs: number): BridgeError | undefined {
  if (nowMs < deadlineMs) return undefined;
  return new BrokerUnavailableError('publishing: no time is left', { code: 'DEADLINE_PASSED' });
}

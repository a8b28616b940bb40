import { setTimeout as delay } from 'node:timers/promises';
import type { BridgeError } from '../../../lib/domain/errors/errors.ts';
import type { MqttMessage } from '../../../lib/domain/messages/message.ts';
import type { MqttClusterRecord } from '../../../lib/ports/mqtt-publisher.ts';
import type {
  MqttSession,
  MqttSessions,
  SessionDelivery,
  SessionOptions,
} from '../../../lib/ports/mqtt-session.ts';

type Published = Pick<MqttMessage, 'topicName' | 'payload'> & Partial<MqttMessage>;
type Changes = Partial<Parameters<typeof openSession>[1]>;

export interface SessionsUnderTest {
  sessions: MqttSessions;
  cluster: MqttClusterRecord;
  /** Publishes in order; resolves when the broker has taken all of them. */
  publish(messages: readonly Published[]): Promise<void>;
}

/** What a broker cannot tell: whatever MQTT 3.1.1 does not have; why it ended a connection. */
export interface Lacks {
  mqtt5?: boolean;
  takeoverReason?: boolean;
}

/** What the tests of one broker have in common; identifiers are fresh for each test. */
export interface SessionWorld {
  clientId: string;
  topic: string;
  /** Opens a session of `clientId` on everything below `topic`, unless told otherwise. */
  connect(changes?: Changes): Promise<TestSession>;
  /** One message to `<topic>/a` for each text. */
  publish(texts: readonly string[], changes?: Partial<MqttMessage>): Promise<void>;
  publishMessages(messages: readonly Published[]): Promise<void>;
  /** A session that finds these texts waiting. */
  queued(texts: readonly string[], changes?: Changes): Promise<TestSession>;
}

/** A session with everything that came of it, in order. */
export interface TestSession {
  readonly session: MqttSession;
  readonly deliveries: readonly SessionDelivery[];
  readonly closings: readonly BridgeError[];
  /** Accepts what is there and passes; default: all. */
  accept(passes?: (delivery: SessionDelivery, index: number) => boolean): void;
  /** Accepts what is there, and from now on whatever comes. */
  acceptAtOnce(): void;
  /** Resolves when so many deliveries came in all. */
  received(count: number): Promise<void>;
  /** Resolves when it holds; looked at after each delivery and a few times a second. */
  until(holds: () => boolean): Promise<void>;
  /** Resolves with what `onClosed` said. */
  closed(): Promise<BridgeError>;
  /** Nothing came for a while: the only way to see that nothing comes. */
  quiet(): Promise<void>;
}

const WAIT_MS = 10_000;
const LOOK_AGAIN_MS = 100;
const QUIET_MS = 150;

/** Opens a session that keeps everything it gets. */
export async function openSession(
  { sessions, cluster }: { sessions: MqttSessions; cluster: MqttClusterRecord },
  changes: Partial<SessionOptions> &
    Pick<SessionOptions, 'clientId' | 'topicFilters'> & { acceptAtOnce?: boolean },
): Promise<TestSession> {
  const deliveries: SessionDelivery[] = [];
  const closings: BridgeError[] = [];
  const waiting = new Set<() => void>();
  const { acceptAtOnce, ...options } = changes;
  let isAccepting = acceptAtOnce === true;
  const look = () => {
    for (const wake of waiting) wake();
  };
  const session = await sessions.open(
    {
      cluster,
      removedTopicFilters: [],
      mustSubscribe: false,
      qos: 1,
      retained: 'new-subscription',
      receiveMaximum: 1_000,
      maxPendingBytes: 16 * 1024 * 1024,
      onDelivery(delivery) {
        deliveries.push(delivery);
        if (isAccepting) delivery.accept();
        look();
      },
      onClosed(error) {
        closings.push(error);
        look();
      },
      ...options,
    },
    Date.now() + WAIT_MS,
  );
  const until = async (holds: () => boolean) => {
    const deadline = Date.now() + WAIT_MS;
    while (!holds()) {
      if (Date.now() > deadline) {
        throw new Error(
          `not within ${WAIT_MS} ms; ${deliveries.length} deliveries, ${closings.length} closings`,
        );
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      await Promise.race([promise, delay(LOOK_AGAIN_MS)]);
      waiting.delete(resolve);
    }
  };
  const accept: TestSession['accept'] = (passes = () => true) => {
    for (const [index, delivery] of deliveries.entries()) if (passes(delivery, index)) delivery.accept();
  };
  return {
    session,
    deliveries,
    closings,
    accept,
    acceptAtOnce() {
      isAccepting = true;
      accept();
    },
    received: (count) => until(() => deliveries.length >= count),
    until,
    async closed() {
      await until(() => closings.length > 0);
      return closings[0] as BridgeError;
    },
    async quiet() {
      for (let before = -1; before !== deliveries.length; ) {
        before = deliveries.length;
        await delay(QUIET_MS);
      }
    },
  };
}

/** "0", "1", … */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`);
}

export function payloads({ deliveries }: TestSession): string[] {
  return deliveries.map(({ message }) => message.payload.toString());
}

export function filtersOf({ deliveries }: TestSession): (number | undefined)[] {
  return deliveries.map(({ filterIndex }) => filterIndex);
}

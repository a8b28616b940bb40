import type { MqttMessage } from '../../domain/messages/message.ts';
import { matches } from '../../domain/topics/topic-filter.ts';

/** What is published into the broker: QoS 1 without retain unless it says otherwise. */
export type BrokerMessage = Pick<MqttMessage, 'topicName' | 'payload'> & Partial<MqttMessage>;

/** A message in a session, until it is acknowledged. */
export interface Kept {
  message: BrokerMessage;
  qos: 0 | 1;
  /** Subscription identifier of the moment: see `copyKeys`. */
  copyKey: string;
  /** 0: not sent yet, or QoS 0. */
  packetId: number;
}

interface Subscription {
  topicFilter: string;
  copyKey: string;
  isShared: boolean;
  qos: 0 | 1;
}

/** A client's session as the broker keeps it: subscriptions, and messages until they are acknowledged. */
export class StoredSession {
  readonly clientId: string;
  readonly #queueLimit: number;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #queued = new Set<Kept>();
  readonly #unacknowledged = new Set<Kept>();
  readonly #packetIds = new Set<number>();
  /** Sent on an earlier connection: what this one begins with. */
  #resend: Kept[] = [];
  #lastPacketId = 0;

  constructor(clientId: string, queueLimit: number) {
    this.clientId = clientId;
    this.#queueLimit = queueLimit;
  }

  get kept(): number {
    return this.#queued.size + this.#unacknowledged.size;
  }

  subscribed(): string[] {
    return [...this.#subscriptions.keys()];
  }

  /** A new connection: everything unacknowledged goes out again, in its order. */
  resume(): void {
    this.#resend = [...this.#unacknowledged];
  }

  /** True: the subscription is new. */
  subscribe(
    subscribed: string,
    { topicFilter, copyKey }: { topicFilter: string; copyKey: string },
    wanted: 0 | 1 | 2,
  ): boolean {
    const isNew = !this.#subscriptions.has(subscribed);
    const isShared = subscribed !== topicFilter;
    this.#subscriptions.set(subscribed, { topicFilter, copyKey, isShared, qos: wanted === 0 ? 0 : 1 });
    return isNew;
  }

  unsubscribe(subscribed: string): void {
    this.#subscriptions.delete(subscribed);
  }

  unsubscribeAll(): void {
    this.#subscriptions.clear();
  }

  /** Subscriptions that match: as subscribed. */
  matching(topicName: string): { subscribed: string; isShared: boolean }[] {
    return [...this.#subscriptions]
      .filter(([, { topicFilter }]) => matches(topicFilter, topicName))
      .map(([subscribed, { isShared }]) => ({ subscribed, isShared }));
  }

  put(message: BrokerMessage, subscribed: string): void {
    const subscription = this.#subscriptions.get(subscribed);
    if (subscription === undefined || this.#queued.size >= this.#queueLimit) return;
    const { copyKey } = subscription;
    const qos = subscription.qos === 0 || message.qos === 0 ? 0 : 1;
    this.#queued.add({ message, qos, copyKey, packetId: 0 });
  }

  /** What a connection sends next; `isDuplicate`: an earlier one has sent it. */
  takeNext(): { kept: Kept; isDuplicate: boolean } | undefined {
    const again = this.#resend.shift();
    if (again !== undefined) return { kept: again, isDuplicate: true };
    const [kept] = this.#queued;
    if (kept === undefined) return undefined;
    this.#queued.delete(kept);
    if (kept.qos === 1) {
      kept.packetId = this.#nextPacketId();
      this.#packetIds.add(kept.packetId);
      this.#unacknowledged.add(kept);
    }
    return { kept, isDuplicate: false };
  }

  acknowledge(kept: Kept): void {
    this.#unacknowledged.delete(kept);
    this.#packetIds.delete(kept.packetId);
  }

  #nextPacketId(): number {
    do {
      this.#lastPacketId = (this.#lastPacketId % 0xffff) + 1;
    } while (this.#packetIds.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

import type { MqttMessage, Provenance, RocketmqMessage } from '../../domain/messages/message.ts';
import type { SessionDelivery } from '../../ports/mqtt-session.ts';

/** One message that a session took in, until it is settled: stored, handed over, overflowed, or left out. */
export interface LaneItem {
  readonly delivery: SessionDelivery;
  /** The delivered message without the marks of earlier tasks, and where it comes from. */
  readonly source: MqttMessage;
  readonly provenance: Provenance;
  /** Index in the definition of the topic filter it came by. */
  readonly filterIndex?: number;
  /** Absent: it was not mapped, and goes to the task's queue. */
  readonly message?: RocketmqMessage;
  /** What it stays in order with in a FIFO queue. */
  readonly groupKey: string;
  /** Epoch ms from which it is not sent any more; infinite without an expiry. */
  readonly expiresAtMs: number;
  isSettled: boolean;
  /** A sending of it was not answered: it may have arrived. */
  isMaybeStored?: boolean;
}

/** What may still be done with messages of a lane; asked right before each send, put and acceptance. */
export interface LaneGate {
  /** The lease is ours, and the lane neither drains nor has ended: something new may be begun. */
  mayBegin(): boolean;
  /** The lease is ours, and the lane has not ended: what is proven may be accepted. */
  mayAccept(): boolean;
}

import type { Packet } from 'mqtt';
import {
  type BridgeError,
  BrokerHoldError,
  BrokerUnavailableError,
  PayloadTooLargeError,
} from '../../domain/errors/errors.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BrokerConnection } from './connection.ts';
import { errorOfReason } from './errors.ts';
import { encodePublish, encodePubrel, PINGREQ } from './publish-packet.ts';

/** A message on its way, and whom to tell. `settle` may be called more than once; the first counts. */
export interface Outgoing {
  message: OutgoingMqttMessage;
  /** By when it has to leave, and once it has left, to be answered. */
  deadlineMs: number;
  /** Absent: leaving changes nothing about its deadline. */
  answerMs?: number | undefined;
  maySend?: (() => boolean) | undefined;
  /** Without an error: accepted. */
  settle(error?: BridgeError): void;
}

interface Sent {
  outgoing: Outgoing;
  sentAtMs: number;
  /** Its sender was told that no answer came; the packet id is taken until one does. */
  isAbandoned: boolean;
}

/** Without a Receive Maximum: what MQTT 3.1.1 brokers take from a client without falling back to one at a time. */
const MAX_IN_FLIGHT_311 = 500;
/** More does not make a connection faster, and all of it comes again when it breaks. */
const MAX_IN_FLIGHT = 4_096;
const MAX_PACKET_ID = 65_535;
/** "No matching subscribers" says that the message was taken [MQTT5 3.4.2.1]. */
const NO_SUBSCRIBERS = 0x10;

/** What was written to one connection and is not answered. */
export class InFlight {
  readonly connection: BrokerConnection;
  /** Messages of QoS 1 and 2 that may be unanswered. */
  readonly window: number;
  readonly #clock: Clock;
  readonly #sent = new Map<number, Sent>();
  /** QoS 0, whose only answer is that the socket took it. */
  readonly #unflushed = new Set<Outgoing>();
  #pings: PromiseWithResolvers<void>[] = [];
  #packetId = 0;
  #abandoned = 0;
  #lastPacketMs = 0;

  constructor(connection: BrokerConnection, clock: Clock) {
    const { protocolVersion, receiveMaximum = MAX_PACKET_ID } = connection.limits;
    this.connection = connection;
    this.#clock = clock;
    this.window = Math.min(receiveMaximum, protocolVersion === 5 ? MAX_IN_FLIGHT : MAX_IN_FLIGHT_311);
  }

  /** Messages of QoS 1 and 2 that are not answered. */
  get size(): number {
    return this.#sent.size;
  }

  /** Writes the message, or fails it at once when the broker does not take such ones. */
  send(outgoing: Outgoing): void {
    const { message } = outgoing;
    const { protocolVersion, maximumQos } = this.connection.limits;
    const qos = message.qos > maximumQos ? maximumQos : message.qos;
    const packetId = qos === 0 ? 0 : this.#nextPacketId();
    const packet = encodePublish(message, { packetId, qos, protocolVersion });
    const refusal = this.#refusal(message, packet);
    if (refusal !== undefined) outgoing.settle(refusal);
    else if (qos === 0) this.#writeUnacknowledged(outgoing, packet);
    else {
      this.#sent.set(packetId, { outgoing, sentAtMs: this.#clock.now(), isAbandoned: false });
      this.connection.write(packet);
    }
  }

  /** True: a message was taken by the broker. */
  acknowledge(packet: Packet): boolean {
    this.#lastPacketMs = this.#clock.now();
    switch (packet.cmd) {
      case 'puback':
      case 'pubcomp':
        return this.#answered(packet.messageId, packet.reasonCode);
      case 'pubrec':
        if (isRefusal(packet.reasonCode)) return this.#answered(packet.messageId, packet.reasonCode);
        if (packet.messageId !== undefined) this.connection.write(encodePubrel(packet.messageId));
        return false;
      case 'pingresp':
        for (const ping of this.#pings.splice(0)) ping.resolve();
        return false;
      default:
        return false;
    }
  }

  /** Resolves when the broker answers to a PINGREQ, rejects when the connection is gone before. */
  ping(): Promise<void> {
    const ping = Promise.withResolvers<void>();
    this.#pings.push(ping);
    this.connection.write(PINGREQ);
    return ping.promise;
  }

  /**
   * Fails what is over its deadline. Ends the connection when it looks dead: nothing came in since such a message left,
   * or half of the window is taken by unanswered ones.
   *
   * @returns the earliest deadline left
   */
  sweep(nowMs: number): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    let isDead = false;
    for (const sent of this.#sent.values()) {
      if (sent.isAbandoned) continue;
      if (sent.outgoing.deadlineMs > nowMs) {
        earliestMs = Math.min(earliestMs, sent.outgoing.deadlineMs);
        continue;
      }
      sent.isAbandoned = true;
      this.#abandoned += 1;
      isDead ||= this.#lastPacketMs < sent.sentAtMs;
      sent.outgoing.settle(timedOut());
    }
    for (const outgoing of this.#unflushed) {
      if (outgoing.deadlineMs > nowMs) {
        earliestMs = Math.min(earliestMs, outgoing.deadlineMs);
        continue;
      }
      this.#unflushed.delete(outgoing);
      isDead = true;
      outgoing.settle(timedOut());
    }
    if (isDead || this.#abandoned * 2 > this.window) this.connection.destroy();
    return earliestMs;
  }

  /** Fails everything. */
  fail(error: BridgeError): void {
    for (const { outgoing } of this.#sent.values()) outgoing.settle(error);
    for (const outgoing of this.#unflushed) outgoing.settle(error);
    for (const ping of this.#pings.splice(0)) ping.reject(error);
    this.#sent.clear();
    this.#unflushed.clear();
  }

  #refusal({ retain }: OutgoingMqttMessage, packet: Buffer): BridgeError | undefined {
    const { maximumPacketSize, canRetain } = this.connection.limits;
    if (retain && !canRetain) return retainUnsupported();
    if (maximumPacketSize === undefined || packet.length <= maximumPacketSize) return undefined;
    return tooLarge(maximumPacketSize);
  }

  #writeUnacknowledged(outgoing: Outgoing, packet: Buffer): void {
    this.#unflushed.add(outgoing);
    this.connection.write(packet, (error) => {
      this.#unflushed.delete(outgoing);
      outgoing.settle(error ? lost() : undefined);
    });
  }

  #answered(packetId: number | undefined, reasonCode: number | undefined): boolean {
    const sent = packetId === undefined ? undefined : this.#sent.get(packetId);
    if (packetId === undefined || sent === undefined) return false;
    this.#sent.delete(packetId);
    if (sent.isAbandoned) this.#abandoned -= 1;
    const isTaken = !isRefusal(reasonCode);
    sent.outgoing.settle(isTaken ? undefined : errorOfReason('publish', reasonCode ?? 0));
    return isTaken;
  }

  /** The window is smaller than the number of ids, so one is free. */
  #nextPacketId(): number {
    do {
      this.#packetId = (this.#packetId % MAX_PACKET_ID) + 1;
    } while (this.#sent.has(this.#packetId));
    return this.#packetId;
  }
}

function isRefusal(reasonCode: number | undefined): boolean {
  return reasonCode !== undefined && reasonCode !== 0 && reasonCode !== NO_SUBSCRIBERS;
}

function retainUnsupported(): BridgeError {
  return new BrokerHoldError('publishing: the broker keeps no retained messages', {
    code: 'RETAIN_UNSUPPORTED',
    scope: 'cluster',
    hint: 'Set "retain" of the task to drop, or allow retained messages on the broker.',
  });
}

function tooLarge(maximumPacketSize: number): BridgeError {
  return new PayloadTooLargeError(`publishing: the packet exceeds the broker's ${maximumPacketSize} bytes`);
}

function timedOut(): BridgeError {
  return new BrokerUnavailableError('publishing: no answer in time', {
    code: 'TARGET_TIMEOUT',
    maybeStored: true,
  });
}

function lost(): BridgeError {
  return new BrokerUnavailableError('publishing: the connection was lost', { maybeStored: true });
}

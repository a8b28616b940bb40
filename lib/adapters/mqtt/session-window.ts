import type { MqttMessage } from '../../domain/messages/message.ts';
import { HELD_DELIVERY_BYTES, type SessionDelivery } from '../../ports/mqtt-session.ts';
import type { Publish } from './session-publish.ts';

/** Fixed header of an acknowledgement in the upper half of its four bytes: type, length 2. */
const PUBACK = 0x40_02_0000;
/** First step of QoS 2, of a subscription that is not ours: PUBREC. MQTT.js answers the PUBREL that follows. */
const PUBREC = 0x50_02_0000;
/** Nothing is to be sent: QoS 0, or the packet id went to a later packet. */
const NO_ACKNOWLEDGEMENT = 0;

const ACKNOWLEDGEMENT_BYTES = 4;
const FIRST_CAPACITY = 1_024;
const PACKET_IDS = 65_536;

/**
 * Acknowledgements that one connection owes its broker, in the order of arrival [MQTT-4.6.0-2]: what is accepted leaves once
 * everything before it is accepted too. Counts the bytes that what is not accepted
 * takes in memory.
 *
 * Keeps numbers only, four bytes each in a ring, so that a message is free as soon as it is accepted.
 */
export class SessionWindow {
  readonly #maxPendingBytes: number;
  readonly #write: (bytes: Buffer) => void;
  readonly #hold: () => void;
  readonly #release: () => void;
  #acknowledgements = new Uint32Array(FIRST_CAPACITY);
  #accepted = new Uint8Array(FIRST_CAPACITY);
  /** Numbers of the oldest that has not left, and of the next that will come. */
  #oldest = 0;
  #next = 0;
  /** A bit for each packet id that is between oldest and next. */
  readonly #inFlight = new Uint8Array(PACKET_IDS / 8);
  #pendingBytes = 0;
  #isHolding = false;
  #isFlushing = false;
  #isClosed = false;

  /**
   * @param options.maxPendingBytes - from so many on `hold` is called, once, and `release` as soon as it is less
   * @param options.write - sends acknowledgements
   */
  constructor(options: {
    maxPendingBytes: number;
    write: (bytes: Buffer) => void;
    hold: () => void;
    release: () => void;
  }) {
    this.#maxPendingBytes = options.maxPendingBytes;
    this.#write = options.write;
    this.#hold = options.hold;
    this.#release = options.release;
  }

  /**
   * The packet's place in the order; undefined: it is the packet in flight with the same id, sent again, and joins it.
   */
  add(publish: Publish): number | undefined {
    const { packetId, bytes } = publish;
    let acknowledgement = NO_ACKNOWLEDGEMENT;
    if (packetId !== 0) {
      if (this.#isInFlight(packetId)) {
        if (publish.isDuplicate) return undefined;
        this.#supersede(packetId);
      }
      this.#setInFlight(packetId, true);
      acknowledgement = (publish.qos === 1 ? PUBACK : PUBREC) | packetId;
    }
    if (this.#next - this.#oldest === this.#acknowledgements.length) this.#grow();
    const place = this.#next & (this.#acknowledgements.length - 1);
    this.#acknowledgements[place] = acknowledgement;
    this.#accepted[place] = 0;
    this.#next += 1;
    this.#pendingBytes += bytes + HELD_DELIVERY_BYTES;
    if (this.#pendingBytes >= this.#maxPendingBytes && !this.#isHolding) {
      this.#isHolding = true;
      this.#hold();
    }
    return this.#next - 1;
  }

  /** Each number once. */
  accept(number: number, bytes: number): void {
    if (this.#isClosed) return;
    this.#accepted[number & (this.#accepted.length - 1)] = 1;
    this.#pendingBytes -= bytes + HELD_DELIVERY_BYTES;
    if (this.#isHolding && this.#pendingBytes < this.#maxPendingBytes) {
      this.#isHolding = false;
      this.#release();
    }
    // All that is accepted in this turn leaves in one write.
    if (number !== this.#oldest || this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  /** Sends the acknowledgements that may leave. */
  flush(): void {
    if (this.#isClosed) return;
    const mask = this.#accepted.length - 1;
    let end = this.#oldest;
    while (end < this.#next && this.#accepted[end & mask] === 1) end += 1;
    if (end === this.#oldest) return;
    const bytes = Buffer.allocUnsafe((end - this.#oldest) * ACKNOWLEDGEMENT_BYTES);
    let length = 0;
    for (let number = this.#oldest; number < end; number += 1) {
      const acknowledgement = this.#acknowledgements[number & mask] ?? NO_ACKNOWLEDGEMENT;
      if (acknowledgement === NO_ACKNOWLEDGEMENT) continue;
      length = bytes.writeUInt32BE(acknowledgement, length);
      this.#setInFlight(acknowledgement & 0xffff, false);
    }
    this.#oldest = end;
    if (length > 0) this.#write(bytes.subarray(0, length));
  }

  /** What the broker is owed dies with its connection: on another one the same packet id may be another message. */
  close(): void {
    this.#isClosed = true;
  }

  #isInFlight(packetId: number): boolean {
    return ((this.#inFlight[packetId >> 3] ?? 0) & (1 << (packetId & 7))) !== 0;
  }

  #setInFlight(packetId: number, isInFlight: boolean): void {
    const bits = this.#inFlight[packetId >> 3] ?? 0;
    const bit = 1 << (packetId & 7);
    this.#inFlight[packetId >> 3] = isInFlight ? bits | bit : bits & ~bit;
  }

  /**
   * Another message under an id that we have not acknowledged, which no broker may send [MQTT-2.2.1-4]: the one
   * acknowledgement that it waits for leaves when the later one is accepted, and so the earlier one too.
   */
  #supersede(packetId: number): void {
    const mask = this.#acknowledgements.length - 1;
    for (let number = this.#oldest; number < this.#next; number += 1) {
      if (((this.#acknowledgements[number & mask] ?? 0) & 0xffff) === packetId) {
        this.#acknowledgements[number & mask] = NO_ACKNOWLEDGEMENT;
      }
    }
  }

  #grow(): void {
    const capacity = this.#acknowledgements.length * 2;
    const acknowledgements = new Uint32Array(capacity);
    const accepted = new Uint8Array(capacity);
    const mask = this.#acknowledgements.length - 1;
    for (let number = this.#oldest; number < this.#next; number += 1) {
      acknowledgements[number & (capacity - 1)] = this.#acknowledgements[number & mask] ?? 0;
      accepted[number & (capacity - 1)] = this.#accepted[number & mask] ?? 0;
    }
    this.#acknowledgements = acknowledgements;
    this.#accepted = accepted;
  }
}

/** A PUBLISH whose acknowledgement waits in a window. */
export class HeldDelivery implements SessionDelivery {
  readonly message: MqttMessage;
  readonly packetId?: number;
  readonly isDuplicate: boolean;
  readonly isRetained: boolean;
  readonly filterIndex?: number;
  readonly bytes: number;
  readonly receivedAtMs: number;
  readonly #window: SessionWindow;
  readonly #number: number;
  #isAccepted = false;

  constructor(
    window: SessionWindow,
    number: number,
    publish: Publish,
    told: { isRetained: boolean; receivedAtMs: number },
  ) {
    this.message = publish.message;
    if (publish.packetId !== 0) this.packetId = publish.packetId;
    this.isDuplicate = publish.isDuplicate;
    this.isRetained = told.isRetained;
    if (publish.filterIndex >= 0) this.filterIndex = publish.filterIndex;
    this.bytes = publish.bytes;
    this.receivedAtMs = told.receivedAtMs;
    this.#window = window;
    this.#number = number;
  }

  accept(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    this.#window.accept(this.#number, this.bytes);
  }
}

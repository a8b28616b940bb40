import { Duplex } from 'node:stream';
import { BridgeError, BrokerHoldError } from '../../domain/errors/errors.ts';
import { MalformedPacketError } from './session-publish.ts';

/** Takes a whole PUBLISH: its packet is `bytes[start, end)`, behind the fixed header at `bodyStart`. May throw. */
export type TakePublish = (bytes: Buffer, start: number, bodyStart: number, end: number) => void;

const PUBLISH = 3;
/**
 * Far more than a message for RocketMQ may have (4 MiB), far less than MQTT allows (256 MB), which a function could not hold,
 * and which would come first again after each crash. Not said as Maximum Packet Size: then a broker drops it in silence.
 */
export const MAX_PACKET_BYTES = 32 * 1_024 * 1_024;
/** Type, flags and a Remaining Length of four bytes. */
const MAX_FIXED_HEADER = 5;

/**
 * Stands between the connection and MQTT.js: PUBLISH packets are taken out of what comes, everything else passes, and what
 * goes out passes whole. So MQTT.js connects, subscribes, pings and closes, and has no say in when a message is
 * acknowledged.
 *
 * While it is on hold nothing is taken, and the connection is not read beyond what has come already.
 */
export class SessionStream extends Duplex {
  readonly #source: Duplex;
  readonly #takePublish: TakePublish;
  #isHeld = false;
  #isScanning = false;
  /** Of a packet that is not complete, or behind a hold. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Nothing can be done before so many bytes are there. */
  #needBytes = 0;

  constructor(source: Duplex, takePublish: TakePublish) {
    super({ autoDestroy: true });
    this.#source = source;
    this.#takePublish = takePublish;
    source.on('data', (chunk: Buffer) => this.#receive(chunk));
    source.on('end', () => this.push(null));
    source.on('error', (error) => this.destroy(error));
    source.on('close', () => this.#finish());
  }

  hold(): void {
    this.#isHeld = true;
    this.#source.pause();
  }

  /** Goes on soon, not within this call: who accepts a message is not given the next one at that moment. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    setImmediate(() => {
      if (this.#isHeld || this.destroyed) return;
      this.#proceed();
      if (!this.#isHeld) this.#source.resume();
    });
  }

  override _read(): void {
    // What is not a PUBLISH is little, and comes without being asked for.
  }

  // Why a write failed is told by the source's `error`; its callback only knows that the stream is gone.
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#source.write(chunk, () => done());
  }

  /** In one piece: a packet that MQTT.js has begun must not be parted by an acknowledgement. */
  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#source.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#source.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#rest = [];
    this.#source.destroy();
    done(error);
  }

  /** The connection is gone. What it said last, perhaps why, is still to be read. */
  #finish(): void {
    if (this.readableEnded) {
      this.destroy();
      return;
    }
    this.once('end', () => this.destroy());
    this.push(null);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    if (this.#restBytes === 0) {
      this.#scan(chunk);
      return;
    }
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
    this.#proceed();
  }

  #proceed(): void {
    if (this.#isHeld || this.#isScanning || this.#restBytes === 0 || this.#restBytes < this.#needBytes)
      return;
    const [only] = this.#rest;
    const bytes = this.#rest.length === 1 && only !== undefined ? only : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    this.#scan(bytes);
  }

  #scan(bytes: Buffer): void {
    this.#isScanning = true;
    try {
      this.#keep(bytes, this.#scanPackets(bytes));
    } catch (error) {
      if (!(error instanceof MalformedPacketError || error instanceof BridgeError)) throw error;
      this.destroy(error);
    } finally {
      this.#isScanning = false;
    }
  }

  /** Answers how far it came. */
  #scanPackets(bytes: Buffer): number {
    let start = 0;
    this.#needBytes = 0;
    while (start < bytes.length && !this.#isHeld && !this.destroyed) {
      let bodyStart = start + 1;
      let length = 0;
      let byte = 0x80;
      for (; byte >= 0x80; bodyStart += 1) {
        if (bodyStart - start >= MAX_FIXED_HEADER)
          throw new MalformedPacketError('a Remaining Length without end');
        if (bodyStart >= bytes.length) return start;
        byte = bytes[bodyStart] ?? 0;
        length += (byte & 0x7f) << (7 * (bodyStart - start - 1));
      }
      const end = bodyStart + length;
      if (end - start > MAX_PACKET_BYTES) throw tooLarge(end - start);
      if (end > bytes.length) {
        this.#needBytes = end - start;
        return start;
      }
      if ((bytes[start] ?? 0) >> 4 === PUBLISH) this.#takePublish(bytes, start, bodyStart, end);
      else this.push(bytes.subarray(start, end));
      start = end;
    }
    return start;
  }

  #keep(bytes: Buffer, from: number): void {
    if (from >= bytes.length) return;
    this.#rest = [bytes.subarray(from)];
    this.#restBytes = bytes.length - from;
  }
}

function tooLarge(bytes: number): BridgeError {
  return new BrokerHoldError(
    `the broker sends a packet of ${bytes} bytes: ${MAX_PACKET_BYTES} at most are read`,
    {
      code: 'PACKET_TOO_LARGE',
      scope: 'topic',
      hint: 'Take the message out of the session at the broker, or end the session with options.whilePaused "discard"; limit the size of packets at the broker.',
    },
  );
}

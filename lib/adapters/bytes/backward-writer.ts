/** Up to this many characters a loop over char codes is quicker than a call into the buffer's native UTF-8 encoder. */
const SHORT_STRING_CHARS = 64;

/**
 * Writes a wire format from the end of one buffer to its beginning. So the length of every embedded part is known when its
 * prefix is written: one pass, no size computed beforehand. The buffer grows when the guess was too small.
 */
export class BackwardWriter {
  #buffer: Buffer;
  #position: number;

  /** @param capacity expected size in bytes; any positive number is right, a good one saves copies. */
  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(capacity, 64));
    this.#position = this.#buffer.length;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#buffer.length - this.#position;
  }

  /** What was written; shares memory with the writer, which must not be used any more. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#position);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#position -= bytes.length;
    this.#buffer.set(bytes, this.#position);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#position -= 1;
    this.#buffer[this.#position] = value;
  }

  /** Two bytes, big-endian. */
  uint16(value: number): void {
    this.byte(value & 0xff);
    this.byte(value >> 8);
  }

  /** An unsigned varint below 2^53: seven bits a byte, the lowest first, as protobuf and MQTT have it. */
  varint(value: number): void {
    if (value < 0x80) {
      this.byte(value);
      return;
    }
    let bytes = 1;
    for (let limit = 0x80; value >= limit; limit *= 0x80) bytes += 1;
    this.#reserve(bytes);
    this.#position -= bytes;
    let rest = value;
    for (let at = this.#position; at < this.#position + bytes - 1; at += 1) {
      this.#buffer[at] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#position + bytes - 1] = rest;
  }

  /** A text as UTF-8, without any prefix; a lone surrogate becomes U+FFFD, as `Buffer` does it. */
  text(text: string): void {
    if (text.length > SHORT_STRING_CHARS || !this.#ascii(text)) this.#utf8(text);
  }

  /** Answers false, and writes nothing, when the text holds a character beyond U+007F. */
  #ascii(text: string): boolean {
    this.#reserve(text.length);
    const buffer = this.#buffer;
    const start = this.#position - text.length;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[start + index] = code;
    }
    this.#position = start;
    return true;
  }

  #utf8(text: string): void {
    const size = Buffer.byteLength(text);
    this.#reserve(size);
    this.#position -= size;
    this.#buffer.write(text, this.#position, size, 'utf8');
  }

  #reserve(bytes: number): void {
    if (this.#position >= bytes) return;
    const used = this.length;
    const grown = Buffer.allocUnsafe((used + bytes) * 2);
    this.#buffer.copy(grown, grown.length - used, this.#position);
    this.#buffer = grown;
    this.#position = grown.length - used;
  }
}

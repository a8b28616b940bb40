const LAST_ASCII = 0x7f;
/** What the last of a varint's ten bytes counts. */
const LAST_SCALE = 0x80 ** 9;

/**
 * Reads protobuf wire format field by field, with no object between. Throws `RangeError` where the bytes end within a field;
 * that a field stays within its message is asked by `leave`.
 */
export class ProtobufReader {
  readonly bytes: Buffer;
  /** Where the next field begins. */
  position = 0;
  #text = '';

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** ASCII strings before this position are cut from one text made here: one call into native code instead of one for each. */
  cutStringsBefore(position: number): void {
    this.#text = this.bytes.toString('latin1', 0, position);
  }

  /** An unsigned varint, exact below 2^53. */
  varint(): number {
    const { bytes } = this;
    let value = 0;
    for (let scale = 1; this.position < bytes.length && scale <= LAST_SCALE; scale *= 0x80) {
      const byte = bytes[this.position] ?? 0;
      this.position += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a protobuf message ends within a number, or has one of more than ten bytes');
  }

  /** Reads the length of a string, of bytes or of an embedded message, and answers where it ends. */
  end(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.bytes.length) throw new RangeError('a protobuf message ends within a field');
    return end;
  }

  string(): string {
    const end = this.end();
    const { bytes, position } = this;
    this.position = end;
    for (let at = position; at < end; at += 1) {
      if ((bytes[at] ?? 0) > LAST_ASCII) return bytes.toString('utf8', position, end);
    }
    return end <= this.#text.length
      ? this.#text.slice(position, end)
      : bytes.toString('latin1', position, end);
  }

  /** To be called behind the last field of an embedded message. */
  leave(end: number): void {
    if (this.position !== end) throw new RangeError('a protobuf field is longer than its message');
  }

  /** Passes over a field by the wire type in its tag. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#pass(8);
    else if (wireType === 2) this.position = this.end();
    else if (wireType === 5) this.#pass(4);
    else throw new RangeError(`protobuf wire type ${wireType} is not in use`);
  }

  #pass(bytes: number): void {
    this.position += bytes;
    if (this.position > this.bytes.length) throw new RangeError('a protobuf message ends within a number');
  }
}

const LAST_ASCII = 0x7f;

/**
 * Reads protobuf wire format field by field, with no object between. Throws `RangeError` where the bytes end within a field.
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
    for (let scale = 1; this.position < bytes.length; scale *= 0x80) {
      const byte = bytes[this.position] ?? 0;
      this.position += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a protobuf message ends within a number');
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

  /** Passes over a field by the wire type in its tag. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.position += 8;
    else if (wireType === 2) this.position = this.end();
    else if (wireType === 5) this.position += 4;
    else throw new RangeError(`protobuf wire type ${wireType} is not in use`);
  }
}

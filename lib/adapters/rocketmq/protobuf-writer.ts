import { BackwardWriter } from '../bytes/backward-writer.ts';

/** Wire type 2 of protobuf: strings, bytes and embedded messages. */
const LENGTH_DELIMITED = 2;

/** Writes protobuf wire format with canonical varints, from the last field to the first. */
export class ProtobufWriter extends BackwardWriter {
  /**
   * Closes a length-delimited field whose content was written since `lengthBefore`, which was `length` then. Field numbers
   * below 2^28.
   */
  prefix(field: number, lengthBefore: number): void {
    this.varint(this.length - lengthBefore);
    this.varint((field << 3) | LENGTH_DELIMITED);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.raw(bytes);
    this.varint(bytes.length);
    this.varint((field << 3) | LENGTH_DELIMITED);
  }

  /** A string as UTF-8; a lone surrogate becomes U+FFFD, as `Buffer` does it. */
  string(field: number, text: string): void {
    const before = this.length;
    this.text(text);
    this.prefix(field, before);
  }

  /** An unsigned integer below 2^53. */
  varintField(field: number, value: number): void {
    this.varint(value);
    this.varint(field << 3);
  }
}

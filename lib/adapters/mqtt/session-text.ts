import { isUtf8 } from 'node:buffer';

/** What a byte that is not UTF-8 becomes: a lone surrogate, U+DC80 to U+DCFF, which no UTF-8 text can hold. */
const ILL_FORMED = 0xdc00;
const MAX_SEQUENCE = 4;

/**
 * The text of a UTF-8 string. What is not UTF-8, which MQTT forbids [MQTT-1.5.4-1] and not every broker checks, is not
 * replaced: each such byte stands as U+DC00 plus the byte (as in Python's `surrogateescape`). So the text is ill-formed, the
 * mapping makes a dead letter of its message, and the bytes can be told from it.
 */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('\ufffd') || isUtf8(bytes.subarray(start, end))) return text;
  return escaped(bytes, start, end);
}

function escaped(bytes: Buffer, start: number, end: number): string {
  const parts: string[] = [];
  for (let position = start; position < end; ) {
    const size = sequenceSize(bytes, position, end);
    if (size === 0) parts.push(String.fromCharCode(ILL_FORMED + (bytes[position] ?? 0)));
    else parts.push(bytes.toString('utf8', position, position + size));
    position += Math.max(size, 1);
  }
  return parts.join('');
}

/** Bytes of the character that begins here; 0: none does. */
function sequenceSize(bytes: Buffer, position: number, end: number): number {
  for (let size = 1; size <= Math.min(MAX_SEQUENCE, end - position); size += 1) {
    if (isUtf8(bytes.subarray(position, position + size))) return size;
  }
  return 0;
}

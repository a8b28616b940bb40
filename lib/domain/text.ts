/** What `carriedBytes` answers for a text that RocketMQ cannot carry. */
export const NOT_CARRIED = -1;

/**
 * Length of a text in bytes of UTF-8, or `NOT_CARRIED` when it holds an ISO control character (U+0000–U+001F,
 * U+007F–U+009F: what RocketMQ's proxy refuses in names, values, tags, keys and groups, `CharMatcher.javaIsoControl`) or
 * a lone surrogate (which UTF-8 cannot carry). One pass, since it runs over every text of every message.
 */
export function carriedBytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit < 0xa0) return NOT_CARRIED;
    if (unit < 0x800) {
      bytes += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes += 2;
    } else {
      // A pair is two units and four bytes.
      index += 1;
      if (unit > 0xdbff || !isLowSurrogate(text.charCodeAt(index))) return NOT_CARRIED;
      bytes += 2;
    }
  }
  return bytes;
}

/** Whether RocketMQ can carry a text as it is; see `carriedBytes`. */
export function isCarried(text: string): boolean {
  return carriedBytes(text) !== NOT_CARRIED;
}

/** Length in bytes of the text in UTF-8, the measure of every limit of MQTT and RocketMQ. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** JSON or undefined: the caller refuses what it does not know, with its own sentence. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Broken text is no better than a wrong document.
    return undefined;
  }
}

/** JSON in which every character is ASCII and printable: RocketMQ refuses U+007F–U+009F, which JSON leaves as they are. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether a JSON value is `["…","…"]`. */
export function isTextPair(value: unknown): value is [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'string'
  );
}

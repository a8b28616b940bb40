/** Base64 of a value that must not be empty text: no bytes at all are written as a lone padding character. */
export function encodeBase64(bytes: Buffer): string {
  return bytes.length === 0 ? '=' : bytes.toString('base64');
}

/** Strict counterpart of `encodeBase64`; undefined for what is not padded base64. */
export function decodeBase64(text: string): Buffer | undefined {
  if (text === '=' || text === '') return Buffer.alloc(0);
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64: then the length does not fit.
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}

import { UnmappableMessageError } from '../domain/errors/errors.ts';
import { decodeBase64 } from './base64.ts';

/** Members of an envelope's JSON. `null` is as good as absent. */
export type Fields = Record<string, unknown>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text; undefined when absent. `ENVELOPE_INVALID` for anything else, as in the readers below. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  return value === undefined || typeof value === 'string' ? value : invalid(`a wrong ${name}`);
}

/** A whole number from 0 to `max`. */
export function numberOf(
  fields: Fields,
  name: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = fields[name] ?? undefined;
  return value === undefined || (isWholeNumber(value) && value <= max) ? value : invalid(`a wrong ${name}`);
}

/** Bytes, from base64. */
export function bytesOf(fields: Fields, name: string): Buffer | undefined {
  const text = textOf(fields, name);
  return text === undefined ? undefined : (decodeBase64(text) ?? invalid(`a wrong ${name}`));
}

export function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Throws the error of an envelope that nobody of us has written; continues *the envelope has …*. */
export function invalid(what: string): never {
  throw new UnmappableMessageError(`the envelope has ${what}`, { code: 'ENVELOPE_INVALID' });
}

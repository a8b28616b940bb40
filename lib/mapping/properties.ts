import { UnmappableMessageError } from '../domain/errors/errors.ts';
import { isCarried } from '../domain/text.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { BASE64_SUFFIX } from './wire-names.ts';

/** Sets a text; as base64 under `<name>_b64` when it is empty or holds a control character. */
export function putText(properties: Map<string, string>, name: string, text: string): void {
  if (text !== '' && isCarried(text)) {
    properties.set(name, text);
  } else if (text.isWellFormed()) {
    properties.set(name + BASE64_SUFFIX, encodeBase64(Buffer.from(text, 'utf8')));
  } else {
    throw illFormed(name);
  }
}

/** MQTT forbids such a text [MQTT-1.5.4-1], and UTF-8 could not carry it: rather a dead letter than another text. */
export function illFormed(name: string): UnmappableMessageError {
  return new UnmappableMessageError(`${name} is not well-formed Unicode`, { code: 'TEXT_ILL_FORMED' });
}

/** Sets a text under a foreign name where RocketMQ can carry it, and as `putText` does under its native name where not. */
export function putTextAs(
  properties: Map<string, string>,
  foreignName: string,
  nativeName: string,
  text: string,
): void {
  if (text !== '' && isCarried(text)) properties.set(foreignName, text);
  else putText(properties, nativeName, text);
}

/** Counterpart of `putText`. */
export function readText(properties: ReadonlyMap<string, string>, name: string): string | undefined {
  return properties.get(name) ?? readBytes(properties, name + BASE64_SUFFIX)?.toString('utf8');
}

/** Reads a property that holds base64; `WIRE_PROPERTY_INVALID` when it does not. */
export function readBytes(properties: ReadonlyMap<string, string>, name: string): Buffer | undefined {
  const text = properties.get(name);
  if (text === undefined) return undefined;
  return decodeBase64(text) ?? refuse(name, 'base64');
}

/** Reads a property that holds a whole number from 0 to `max`; `WIRE_PROPERTY_INVALID` when it does not. */
export function readNumber(
  properties: ReadonlyMap<string, string>,
  name: string,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = properties.get(name);
  if (text === undefined) return undefined;
  return /^\d{1,16}$/.test(text) && Number(text) <= max
    ? Number(text)
    : refuse(name, `a number from 0 to ${max}`);
}

/** Error for a property of ours that somebody else has written, wrongly. */
export function refuse(name: string, expected: string): never {
  throw new UnmappableMessageError(`the property ${name} does not hold ${expected}`, {
    code: 'WIRE_PROPERTY_INVALID',
  });
}

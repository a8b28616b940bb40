import { UnmappableMessageError } from '../domain/errors.ts';
import type { UserProperty } from '../domain/message.ts';
import { RESERVED_PROPERTY_NAMES } from '../domain/rocketmq-limits.ts';
import { isCarried } from '../domain/text.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { asciiJson, isTextPair, parseJson } from './json.ts';
import { BASE64_SUFFIX, MQTT, RESERVED_PREFIXES, WIRE_NAMES } from './wire-names.ts';

/** One element of `mqtt_up`: a whole user property, or the name of one that is a property of its own. */
type Placed = string | UserProperty;

const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;

/** Sets a text; as base64 under `<name>_b64` when it is empty or holds a control character. */
export function putText(properties: Map<string, string>, name: string, text: string): void {
  if (text !== '' && isCarried(text)) {
    properties.set(name, text);
  } else if (text.isWellFormed()) {
    properties.set(name + BASE64_SUFFIX, encodeBase64(Buffer.from(text, 'utf8')));
  } else {
    // MQTT forbids it [MQTT-1.5.4-1], and UTF-8 could not carry it: rather a dead letter than another text.
    throw new UnmappableMessageError(`${name} is not well-formed Unicode`, { code: 'TEXT_ILL_FORMED' });
  }
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

/**
 * Sets user properties. One that RocketMQ can carry becomes a property of its own, so that consumers can filter by it;
 * of a repeated name the first. RocketMQ keeps no order: what does not follow from the rule *plain ones first, by name*
 * goes to `mqtt_up`, in order, the plain ones there by name only.
 */
export function putUserProperties(
  properties: Map<string, string>,
  userProperties: readonly UserProperty[],
): void {
  let previous = '';
  let placed: Placed[] | undefined;
  for (const property of userProperties) {
    const [name, value] = property;
    const plain = isPlain(name, value) && !properties.has(name);
    if (plain) properties.set(name, value);
    if (plain && placed === undefined && name > previous) {
      previous = name;
    } else {
      placed ??= [];
      placed.push(plain ? name : property);
    }
  }
  if (placed !== undefined) properties.set(MQTT.userProperties, asciiJson(placed));
}

/** Counterpart of `putUserProperties`: every property that is not ours, in order, with what `mqtt_up` holds. */
export function readUserProperties(properties: ReadonlyMap<string, string>): UserProperty[] {
  const placed = readPlaced(properties.get(MQTT.userProperties));
  const placedNames = new Set(placed.filter((element) => typeof element === 'string'));
  const userProperties: UserProperty[] = [...properties]
    .filter(([name]) => !WIRE_NAMES.has(name) && !placedNames.has(name))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  for (const element of placed) {
    if (typeof element !== 'string') {
      userProperties.push(element);
      continue;
    }
    const value = properties.get(element);
    // Somebody on the RocketMQ side has taken the property away; then it is meant to be gone.
    if (value !== undefined) userProperties.push([element, value]);
  }
  return userProperties;
}

function isPlain(name: string, value: string): boolean {
  return (
    value !== '' &&
    PLAIN_NAME.test(name) &&
    !RESERVED_PROPERTY_NAMES.has(name) &&
    !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
    isCarried(value)
  );
}

function readPlaced(text: string | undefined): Placed[] {
  if (text === undefined) return [];
  const placed = parseJson(text);
  if (
    Array.isArray(placed) &&
    placed.every((element) => typeof element === 'string' || isTextPair(element))
  ) {
    return placed;
  }
  return refuse(MQTT.userProperties, 'a JSON array of names and pairs');
}

import type { UserProperty } from '../domain/messages/message.ts';
import { RESERVED_PROPERTY_NAMES } from '../domain/messages/rocketmq-limits.ts';
import { isCarried } from '../domain/text.ts';
import { asciiJson, isTextPair, parseJson } from './json.ts';
import { illFormed, refuse } from './properties.ts';
import { sortByName } from './sort-by-name.ts';
import { MQTT, RESERVED_PREFIXES, WIRE_NAMES } from './wire-names.ts';

/** One element of `mqtt_up`: a whole user property, or the name of one that is a property of its own. */
type Placed = string | UserProperty;

const NOT_PLACED: ReadonlySet<Placed> = new Set();
const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;
/** Devices say the same names again and again. */
const MAX_KNOWN_NAMES = 2_000;
const MAX_KNOWN_NAME_LENGTH = 64;
const knownNames = new Map<string, boolean>();

/**
 * Sets user properties. One that RocketMQ can carry becomes a property of its own, so that consumers can filter by it;
 * of a repeated name the first. RocketMQ keeps no order: what does not follow from the rule *plain ones first, by name*
 * goes to `mqtt_up`, in order, the plain ones there by name only.
 *
 * Throws `TEXT_ILL_FORMED`.
 *
 * @param isPlain which may be a property of its own, if it is the first of its name.
 */
export function putUserProperties(
  properties: Map<string, string>,
  userProperties: readonly UserProperty[],
  isPlain: (name: string, value: string) => boolean = isPlainProperty,
): void {
  let previous = '';
  let placed: Placed[] | undefined;
  for (const property of userProperties) {
    const [name, value] = property;
    const plain = isPlain(name, value);
    if (plain && placed === undefined && name > previous) {
      // Behind all before it, so the first of its name.
      properties.set(name, value);
      previous = name;
      continue;
    }
    if (!plain && !(name.isWellFormed() && value.isWellFormed())) throw illFormed('a user property');
    placed ??= [];
    if (plain && !properties.has(name)) {
      properties.set(name, value);
      placed.push(name);
    } else {
      placed.push(property);
    }
  }
  if (placed !== undefined) properties.set(MQTT.userProperties, asciiJson(placed));
}

/**
 * Sets the properties of a message that was born in RocketMQ, as they were: also those whose names no device's user
 * property would get. See docs/mapping.md, *Back to RocketMQ*.
 */
export function restoreProperties(
  properties: Map<string, string>,
  userProperties: readonly UserProperty[],
  wireNames: ReadonlySet<string>,
): void {
  putUserProperties(
    properties,
    userProperties,
    (name, value) =>
      name !== '' &&
      value !== '' &&
      name !== '__proto__' &&
      !RESERVED_PROPERTY_NAMES.has(name) &&
      !wireNames.has(name) &&
      isCarried(name) &&
      isCarried(value),
  );
}

/** Counterpart of `putUserProperties`: every property that is no wire name, in order, with what `mqtt_up` holds. */
export function readUserProperties(
  properties: ReadonlyMap<string, string>,
  wireNames: ReadonlySet<string> = WIRE_NAMES,
): UserProperty[] {
  const placed = readPlaced(properties.get(MQTT.userProperties));
  const placedNames = placed.length === 0 ? NOT_PLACED : new Set<Placed>(placed);
  const userProperties: UserProperty[] = [];
  properties.forEach((value, name) => {
    if (!wireNames.has(name) && !placedNames.has(name)) userProperties.push([name, value]);
  });
  sortByName(userProperties);
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

function isPlainProperty(name: string, value: string): boolean {
  return value !== '' && isKnownPlainName(name) && isCarried(value);
}

function isKnownPlainName(name: string): boolean {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const isPlain =
    PLAIN_NAME.test(name) &&
    !RESERVED_PROPERTY_NAMES.has(name) &&
    !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
  if (knownNames.size >= MAX_KNOWN_NAMES) knownNames.clear();
  if (name.length <= MAX_KNOWN_NAME_LENGTH) knownNames.set(name, isPlain);
  return isPlain;
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

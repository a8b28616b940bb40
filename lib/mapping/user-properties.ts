import type { UserProperty } from '../domain/message.ts';
import { RESERVED_PROPERTY_NAMES } from '../domain/rocketmq-limits.ts';
import { isCarried } from '../domain/text.ts';
import { asciiJson, isTextPair, parseJson } from './json.ts';
import { refuse } from './properties.ts';
import { MQTT, RESERVED_PREFIXES, WIRE_NAMES } from './wire-names.ts';

/** One element of `mqtt_up`: a whole user property, or the name of one that is a property of its own. */
type Placed = string | UserProperty;

/**
 * Sets user properties. One that RocketMQ can carry becomes a property of its own, so that consumers can filter by it;
 * of a repeated name the first. RocketMQ keeps no order: what does not follow from the rule *plain ones first, by name*
 * goes to `mqtt_up`, in order, the plain ones there by name only.
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
    const name = property[0];
    const plain = isPlain(name, property[1]) && !properties.has(name);
    if (plain) properties.set(name, property[1]);
    if (plain && placed === undefined && name > previous) {
      previous = name;
    } else {
      placed ??= [];
      placed.push(plain ? name : property);
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
  const placedNames = new Set(placed.filter((element) => typeof element === 'string'));
  const userProperties: UserProperty[] = [...properties]
    .filter(([name]) => !wireNames.has(name) && !placedNames.has(name))
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

function isPlainProperty(name: string, value: string): boolean {
  return (
    value !== '' &&
    isPlainName(name) &&
    !RESERVED_PROPERTY_NAMES.has(name) &&
    !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
    isCarried(value)
  );
}

/** `[A-Za-z][A-Za-z0-9_.-]*`, by hand: this runs for every user property of every message. */
function isPlainName(name: string): boolean {
  if (name === '' || !isLetter(name.charCodeAt(0))) return false;
  for (let index = 1; index < name.length; index += 1) {
    const unit = name.charCodeAt(index);
    const isFine = isLetter(unit) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || unit === 0x2e;
    if (!isFine && unit !== 0x2d) return false;
  }
  return true;
}

function isLetter(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a);
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

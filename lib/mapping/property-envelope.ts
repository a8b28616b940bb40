import { isTextPair, parseJson } from './json.ts';
import { refuse } from './properties.ts';
import { MQFERRY, MQTT } from './wire-names.ts';

const VERSION = '1';
const LENGTH_BYTES = 4;
const OUTSIDE: ReadonlySet<string> = new Set(Object.values(MQFERRY));

/** A body, and the properties that go with it. */
export interface Carried {
  body: Buffer;
  properties: ReadonlyMap<string, string>;
}

/**
 * Packs properties that are too many or too large for RocketMQ into the body: 4 bytes of length (big-endian), so many
 * bytes of JSON `[["name","value"],…]` in UTF-8, the payload. The `mqferry_*` properties stay outside, beside `mqtt_env`.
 */
export function packProperties(payload: Buffer, properties: ReadonlyMap<string, string>): Carried {
  const entries = [...properties];
  const inside = Buffer.from(JSON.stringify(entries.filter(([name]) => !OUTSIDE.has(name))), 'utf8');
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(inside.length);
  return {
    body: Buffer.concat([length, inside, payload]),
    properties: new Map([...entries.filter(([name]) => OUTSIDE.has(name)), [MQTT.envelope, VERSION]]),
  };
}

/** Counterpart of `packProperties`; `WIRE_PROPERTY_INVALID` when the body is not as `mqtt_env` says. */
export function unpackProperties({ body, properties }: Carried): Carried {
  const version = properties.get(MQTT.envelope);
  if (version === undefined) return { body, properties };
  const end = LENGTH_BYTES + (body.length < LENGTH_BYTES ? 0 : body.readUInt32BE());
  if (version !== VERSION || body.length < end) return refuse(MQTT.envelope, 'a version that fits the body');
  const inside = readEntries(body.subarray(LENGTH_BYTES, end));
  return { body: body.subarray(end), properties: new Map([...properties, ...inside]) };
}

function readEntries(json: Buffer): [string, string][] {
  const entries = parseJson(json.toString('utf8'));
  if (Array.isArray(entries) && entries.every(isTextPair)) return entries;
  return refuse(MQTT.envelope, 'a version that fits the body');
}

import type { Provenance, UserProperty } from '../domain/message.ts';
import { readNumber } from './properties.ts';
import { MQFERRY } from './wire-names.ts';

/** What is known of a message's way from the message itself. */
export type ReadProvenance = Pick<Provenance, 'path'> & Partial<Provenance>;

const MQFERRY_NAMES: ReadonlySet<string> = new Set(Object.values(MQFERRY));
const PATH = /^[A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64})*$/;

/** Sets the `mqferry_*` properties; the path ends with the present task. */
export function putProvenance(properties: Map<string, string>, provenance: Provenance, taskId: string): void {
  properties.set(MQFERRY.id, provenance.messageId);
  properties.set(MQFERRY.path, [...provenance.path, taskId].join(','));
  if (provenance.sourceTimeMs !== undefined)
    properties.set(MQFERRY.sourceTime, String(provenance.sourceTimeMs));
  properties.set(MQFERRY.receiptTime, String(provenance.receiptTimeMs));
  properties.set(MQFERRY.sendTime, String(provenance.sendTimeMs));
}

/** Counterpart of `putProvenance`. The path is empty when the message never came through mqferry. */
export function readProvenance(properties: ReadonlyMap<string, string>): ReadProvenance {
  const provenance: ReadProvenance = { path: pathOf(properties.get(MQFERRY.path) ?? '') };
  const messageId = properties.get(MQFERRY.id);
  if (messageId !== undefined) provenance.messageId = messageId;
  const sourceTimeMs = readNumber(properties, MQFERRY.sourceTime);
  if (sourceTimeMs !== undefined) provenance.sourceTimeMs = sourceTimeMs;
  const receiptTimeMs = readNumber(properties, MQFERRY.receiptTime);
  if (receiptTimeMs !== undefined) provenance.receiptTimeMs = receiptTimeMs;
  const sendTimeMs = readNumber(properties, MQFERRY.sendTime);
  if (sendTimeMs !== undefined) provenance.sendTimeMs = sendTimeMs;
  return provenance;
}

/**
 * Takes the marks of earlier tasks off the user properties of an MQTT message. They are ours when there is a
 * `mqferry_path` that reads as task ids: then its tasks are the path, and all `mqferry_*` names of docs/mapping.md go, since
 * this hop sets its own. Otherwise they are a device's own user properties, and stay.
 */
export function takePath(userProperties: readonly UserProperty[]): {
  path: readonly string[];
  userProperties: readonly UserProperty[];
} {
  const path = userProperties.flatMap(([name, value]) => (name === MQFERRY.path ? pathOf(value) : []));
  if (path.length === 0) return { path, userProperties };
  return { path, userProperties: userProperties.filter(([name]) => !MQFERRY_NAMES.has(name)) };
}

function pathOf(text: string): string[] {
  return PATH.test(text) ? text.split(',') : [];
}

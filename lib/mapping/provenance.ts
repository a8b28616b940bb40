import type { Provenance, UserProperty } from '../domain/messages/message.ts';
import { readNumber } from './properties.ts';
import { MQFERRY } from './wire-names.ts';

/** What is known of a message's way from the message itself. */
export type ReadProvenance = Pick<Provenance, 'path'> & Partial<Provenance>;

/** Most messages do not have these; they stand behind all others. */
const SELDOM_SET: ReadonlySet<string> = new Set([MQFERRY.redriven, MQFERRY.resent]);
/** Each hop sets these. */
const ALWAYS_SET: ReadonlySet<string> = new Set(
  Object.values(MQFERRY).filter((name) => !SELDOM_SET.has(name)),
);
const RESENT = '1';
/** What the mark of a message that is sent again adds to it, in bytes. */
export const RESENT_BYTES = MQFERRY.resent.length + RESENT.length;
const receiptTimeText = createTimeText();
const sendTimeText = createTimeText();
const NO_PATH: readonly string[] = [];
const PATH = /^[A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64})*$/;

/** Sets the `mqferry_*` properties; the path ends with the present task. */
export function putProvenance(
  properties: { set(name: string, value: string): unknown },
  provenance: Provenance,
  taskId: string,
): void {
  const { messageId, path, sourceTimeMs, receiptTimeMs, sendTimeMs, redriven, isResent } = provenance;
  properties.set(MQFERRY.id, messageId);
  properties.set(MQFERRY.path, path.length === 0 ? taskId : `${path.join(',')},${taskId}`);
  if (sourceTimeMs !== undefined) properties.set(MQFERRY.sourceTime, String(sourceTimeMs));
  properties.set(MQFERRY.receiptTime, receiptTimeText(receiptTimeMs));
  properties.set(MQFERRY.sendTime, sendTimeText(sendTimeMs));
  if (redriven !== undefined) properties.set(MQFERRY.redriven, redriven);
  if (isResent === true) properties.set(MQFERRY.resent, RESENT);
}

/** Many messages share one millisecond. */
function createTimeText(): (timeMs: number) => string {
  let lastMs = 0;
  let lastText = '0';
  return (timeMs) => {
    if (timeMs !== lastMs) {
      lastText = String(timeMs);
      lastMs = timeMs;
    }
    return lastText;
  };
}

/** Counterpart of `putProvenance`. The path is empty when the message never came through mqferry. */
export function readProvenance(properties: ReadonlyMap<string, string>): ReadProvenance {
  const provenance: ReadProvenance = { path: readPath(properties) };
  const messageId = properties.get(MQFERRY.id);
  if (messageId !== undefined) provenance.messageId = messageId;
  const sourceTimeMs = readNumber(properties, MQFERRY.sourceTime);
  if (sourceTimeMs !== undefined) provenance.sourceTimeMs = sourceTimeMs;
  const receiptTimeMs = readNumber(properties, MQFERRY.receiptTime);
  if (receiptTimeMs !== undefined) provenance.receiptTimeMs = receiptTimeMs;
  const sendTimeMs = readNumber(properties, MQFERRY.sendTime);
  if (sendTimeMs !== undefined) provenance.sendTimeMs = sendTimeMs;
  const redriven = properties.get(MQFERRY.redriven);
  if (redriven !== undefined) provenance.redriven = redriven;
  if (properties.get(MQFERRY.resent) === RESENT) provenance.isResent = true;
  return provenance;
}

/** Only the path, for who decides by it alone. */
export function readPath(properties: ReadonlyMap<string, string>): string[] {
  return pathOf(properties.get(MQFERRY.path) ?? '');
}

/**
 * Takes the marks of earlier tasks off the user properties of an MQTT message. They are ours when there is a
 * `mqferry_path` that reads as task ids: then its tasks are the path, and of each `mqferry_*` name of docs/mapping.md the last
 * one goes, since marks are added at the end and this hop sets its own; marks that most messages do not have only where they are the
 * very last. Everything else a device has said, and stays.
 */
export function takePath(userProperties: readonly UserProperty[]): {
  path: readonly string[];
  userProperties: readonly UserProperty[];
} {
  let path: readonly string[] = NO_PATH;
  for (const [name, value] of userProperties) {
    if (name === MQFERRY.path) path = [...path, ...pathOf(value)];
  }
  if (path.length === 0) return { path, userProperties };
  const seen = new Set<string>();
  let isEnd = true;
  const others = userProperties.toReversed().filter(([name, value]) => {
    isEnd &&= SELDOM_SET.has(name) && !seen.has(name);
    if (name === MQFERRY.path) return pathOf(value).length === 0;
    if (isEnd) {
      seen.add(name);
      return false;
    }
    const isMark = ALWAYS_SET.has(name) && !seen.has(name);
    seen.add(name);
    return !isMark;
  });
  return { path, userProperties: others.reverse() };
}

function pathOf(text: string): string[] {
  return PATH.test(text) ? text.split(',') : [];
}

import type { RocketmqMessage } from '../domain/messages/message.ts';
import { bytesOf, type Fields, invalid, isObject, numberOf, textOf } from './envelope-fields.ts';
import { asciiJson, isTextPair, parseJson } from './json.ts';

/** Version of the envelope in which the pull path keeps a RocketMQ message that became a dead letter. */
export const ROCKETMQ_ENVELOPE_VERSION = 3;

/** A RocketMQ message, whole, with what the cluster said of it. */
export interface RocketmqEnvelope extends RocketmqMessage {
  taskId: string;
  /** Version of the definition that it was received by. */
  version: number;
  messageId: string;
  /** Clock of its producer, epoch milliseconds. */
  bornTimeMs: number;
  consumerGroup: string;
}

/** Writes an envelope as ASCII JSON. */
export function encodeRocketmqEnvelope(envelope: RocketmqEnvelope): string {
  const { taskId, version, messageId, bornTimeMs, consumerGroup } = envelope;
  const { rocketmqTopic, tag, keys, messageGroup, properties, body } = envelope;
  // JSON leaves out what is undefined.
  return asciiJson({
    v: ROCKETMQ_ENVELOPE_VERSION,
    task: taskId,
    r: version,
    id: messageId,
    born: bornTimeMs,
    cg: consumerGroup,
    t: rocketmqTopic,
    tag,
    keys: keys.length === 0 ? undefined : keys,
    mg: messageGroup,
    up: properties.size === 0 ? undefined : [...properties],
    p: body.length === 0 ? undefined : body.toString('base64'),
  });
}

/** Reads what `encodeRocketmqEnvelope` wrote. Throws `UnmappableMessageError` `ENVELOPE_INVALID`, naming the field. */
export function decodeRocketmqEnvelope(text: string): RocketmqEnvelope {
  const fields = parseJson(text);
  if (!isObject(fields) || fields.v !== ROCKETMQ_ENVELOPE_VERSION) return invalid('another version');
  const envelope: RocketmqEnvelope = {
    taskId: textOf(fields, 'task') ?? invalid('no task'),
    version: numberOf(fields, 'r') ?? invalid('no r'),
    messageId: textOf(fields, 'id') ?? invalid('no id'),
    bornTimeMs: numberOf(fields, 'born') ?? invalid('no born'),
    consumerGroup: textOf(fields, 'cg') ?? invalid('no cg'),
    rocketmqTopic: textOf(fields, 't') ?? invalid('no t'),
    keys: keysOf(fields),
    properties: propertiesOf(fields),
    body: bytesOf(fields, 'p') ?? Buffer.alloc(0),
  };
  const tag = textOf(fields, 'tag');
  if (tag !== undefined) envelope.tag = tag;
  const messageGroup = textOf(fields, 'mg');
  if (messageGroup !== undefined) envelope.messageGroup = messageGroup;
  return envelope;
}

function keysOf({ keys = [] }: Fields): string[] {
  const isList = Array.isArray(keys) && keys.every((key) => typeof key === 'string');
  return isList ? keys : invalid('wrong keys');
}

function propertiesOf({ up = [] }: Fields): Map<string, string> {
  return Array.isArray(up) && up.every(isTextPair) ? new Map(up) : invalid('a wrong up');
}

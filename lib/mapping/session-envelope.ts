import type { MqttMessage, UserProperty } from '../domain/messages/message.ts';
import { bytesOf, type Fields, invalid, isObject, numberOf, textOf } from './envelope-fields.ts';
import { asciiJson, isTextPair, parseJson } from './json.ts';

/** Version of the envelope that the session path writes. */
export const SESSION_ENVELOPE_VERSION = 2;

/** Four bytes of seconds [MQTT-3.3.2.3.3]. */
const MAX_EXPIRY_SECONDS = 0xffff_ffff;

const LARGE_ENVELOPE = /^\{"v":2,"task":"[^"]*","r":\d+,"s3":"/;

const ANY_SESSION_ENVELOPE = /^\{"v":2[,}]/;

/** An MQTT message that a session took in, on its way through the task's own queue. */
export interface SessionEnvelope extends MqttMessage {
  taskId: string;
  /** Version of the definition that the session worked by. */
  version: number;
  /** Index of the topic filter it came by in that definition; absent where the broker did not tell. */
  filterIndex?: number;
  /** `mqferry_id`, given at the receipt: stable over redeliveries of the queue. */
  messageId: string;
  /** When the session took the message in, epoch milliseconds: its expiry counts from then. */
  receiptTimeMs: number;
  /** An earlier sending of the message may have arrived. */
  isResent?: boolean;
}

/** An envelope too large for a record of the queue lies elsewhere: what the record holds instead. */
export interface LargeEnvelope {
  taskId: string;
  version: number;
  /** Where the text of the envelope lies (`LargeBodies`). */
  key: string;
}

/** Whether a text is an envelope of a session, or stands for one: by its beginning alone. */
export function isSessionEnvelope(text: string): boolean {
  return ANY_SESSION_ENVELOPE.test(text);
}

/** Writes an envelope as ASCII: so many characters, so many bytes, and nothing in it that SQS refuses. */
export function encodeSessionEnvelope(envelope: SessionEnvelope): string {
  const { taskId, version, filterIndex, messageId, receiptTimeMs, isResent } = envelope;
  const { topicName, payload, qos, retain, clientId, userProperties } = envelope;
  const { contentType, responseTopic, correlationData, payloadFormat, expirySeconds } = envelope;
  // JSON leaves out what is undefined.
  return asciiJson({
    v: SESSION_ENVELOPE_VERSION,
    task: taskId,
    r: version,
    f: filterIndex,
    id: messageId,
    ts: receiptTimeMs,
    t: topicName,
    q: qos,
    re: retain,
    c: clientId,
    up: userProperties.length === 0 ? undefined : userProperties,
    ct: contentType,
    rt: responseTopic,
    cd: correlationData?.toString('base64'),
    fi: payloadFormat,
    ex: expirySeconds,
    rs: isResent,
    p: payload.length === 0 ? undefined : payload.toString('base64'),
  });
}

/** Writes the record that stands for an envelope which lies elsewhere. */
export function encodeLargeEnvelope({ taskId, version, key }: LargeEnvelope): string {
  return asciiJson({ v: SESSION_ENVELOPE_VERSION, task: taskId, r: version, s3: key });
}

/**
 * Reads a record that stands for an envelope elsewhere; undefined for every other text. To be asked before
 * `decodeEnvelope`, which wants the text that lies there.
 */
export function decodeLargeEnvelope(text: string): LargeEnvelope | undefined {
  // Nearly every record holds its envelope, which is not to be parsed twice.
  if (!LARGE_ENVELOPE.test(text)) return undefined;
  const fields = parseJson(text);
  if (!isObject(fields)) return undefined;
  return {
    taskId: textOf(fields, 'task') ?? invalid('no task'),
    version: numberOf(fields, 'r') ?? invalid('no r'),
    key: textOf(fields, 's3') ?? invalid('no s3'),
  };
}

/** Reads what `encodeSessionEnvelope` wrote; `ENVELOPE_INVALID` names the field that is wrong. */
export function decodeSessionEnvelope(fields: Fields): SessionEnvelope {
  if ((fields.s3 ?? undefined) !== undefined) invalid('its message elsewhere');
  const envelope: SessionEnvelope = {
    taskId: textOf(fields, 'task') ?? invalid('no task'),
    version: numberOf(fields, 'r') ?? invalid('no r'),
    messageId: textOf(fields, 'id') ?? invalid('no id'),
    receiptTimeMs: numberOf(fields, 'ts') ?? invalid('no ts'),
    topicName: textOf(fields, 't') ?? invalid('no t'),
    payload: bytesOf(fields, 'p') ?? Buffer.alloc(0),
    userProperties: userPropertiesOf(fields.up ?? []),
  };
  readDelivery(envelope, fields);
  readMqtt5(envelope, fields);
  return envelope;
}

function readDelivery(envelope: SessionEnvelope, fields: Fields): void {
  const filterIndex = numberOf(fields, 'f');
  if (filterIndex !== undefined) envelope.filterIndex = filterIndex;
  const qos = numberOf(fields, 'q', 2);
  if (qos !== undefined) envelope.qos = qos as 0 | 1 | 2;
  const retain = fields.re ?? undefined;
  if (retain !== undefined) envelope.retain = typeof retain === 'boolean' ? retain : invalid('a wrong re');
  const isResent = fields.rs ?? undefined;
  if (isResent !== undefined)
    envelope.isResent = typeof isResent === 'boolean' ? isResent : invalid('a wrong rs');
  const clientId = textOf(fields, 'c');
  if (clientId !== undefined) envelope.clientId = clientId;
}

function readMqtt5(envelope: SessionEnvelope, fields: Fields): void {
  const contentType = textOf(fields, 'ct');
  if (contentType !== undefined) envelope.contentType = contentType;
  const responseTopic = textOf(fields, 'rt');
  if (responseTopic !== undefined) envelope.responseTopic = responseTopic;
  const correlationData = bytesOf(fields, 'cd');
  if (correlationData !== undefined) envelope.correlationData = correlationData;
  const payloadFormat = numberOf(fields, 'fi', 1);
  if (payloadFormat !== undefined) envelope.payloadFormat = payloadFormat as 0 | 1;
  const expirySeconds = numberOf(fields, 'ex', MAX_EXPIRY_SECONDS);
  if (expirySeconds !== undefined) envelope.expirySeconds = expirySeconds;
}

function userPropertiesOf(value: unknown): UserProperty[] {
  return Array.isArray(value) && value.every(isTextPair) ? value : invalid('a wrong up');
}

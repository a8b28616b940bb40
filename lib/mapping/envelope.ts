import { UnmappableMessageError } from '../domain/errors.ts';
import type { MqttMessage, Provenance, UserProperty } from '../domain/message.ts';
import { checkAwsIotTopicFilter } from '../domain/topic-filter-syntax.ts';
import { decodeBase64 } from './base64.ts';
import { parseJson } from './json.ts';
import { takePath } from './provenance.ts';

/** Version of the envelope that `ruleSql` writes. Every version ever released stays readable. */
export const ENVELOPE_VERSION = 1;

/** What a topic rule of AWS IoT Core tells of one message. What the engine does not know is absent. */
export interface RuleEnvelope {
  taskId: string;
  /** Version of the definition that the rule was made for. */
  version: number;
  /** Index of the topic filter in that definition. */
  ruleNumber: number;
  topicName: string;
  clientId?: string;
  /** Clock of the rules engine, epoch milliseconds. */
  ruleTimeMs?: number;
  /** `traceid()`: one per MQTT message, the same in every rule; absent for messages published over HTTPS. */
  traceId?: string;
  payload: Buffer;
  userProperties: readonly UserProperty[];
  contentType?: string;
  /** Only 1: AWS IoT Core says UNSPECIFIED_BYTES (0) also where there was no indicator, and both mean the same. */
  payloadFormat?: 1;
  responseTopic?: string;
  correlationData?: Buffer;
}

/** When and as what the record with the envelope was received. */
export interface EnvelopeReceipt {
  /** Stands in for an absent `traceid()`; stable over redeliveries. */
  recordId: string;
  receiptTimeMs: number;
  sendTimeMs: number;
}

type Fields = Record<string, unknown>;

const TASK_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The SQL of a rule (version 2016-03-23) that wraps every message of a topic filter in an envelope. No WHERE: what is not
 * wanted is left out and counted by the batching function. Throws a `TypeError` for what must not get into SQL, which
 * was refused when the task was saved.
 */
export function ruleSql(rule: {
  taskId: string;
  version: number;
  ruleNumber: number;
  topicFilter: string;
}): string {
  const violation = checkAwsIotTopicFilter(rule.topicFilter);
  if (violation !== undefined) throw new TypeError(violation.message);
  if (
    !TASK_ID.test(rule.taskId) ||
    !Number.isSafeInteger(rule.version) ||
    !Number.isSafeInteger(rule.ruleNumber)
  ) {
    throw new TypeError(
      'task id, version and rule number become literals of SQL: A-Z, a-z, 0-9, "_", "-", whole numbers',
    );
  }
  return (
    `SELECT ${ENVELOPE_VERSION} AS v, '${rule.taskId}' AS task, ${rule.version} AS r, ${rule.ruleNumber} AS f, ` +
    'topic() AS t, clientid() AS c, timestamp() AS ts, traceid() AS id, ' +
    "encode(*, 'base64') AS p, get_user_properties() AS up, " +
    "get_mqtt_property('content_type') AS ct, get_mqtt_property('format_indicator') AS fi, " +
    "get_mqtt_property('response_topic') AS rt, get_mqtt_property('correlation_data') AS cd " +
    `FROM '${rule.topicFilter}'`
  );
}

/**
 * Reads an envelope. Throws `UnmappableMessageError`: `ENVELOPE_VERSION_UNKNOWN`, or `ENVELOPE_INVALID` naming the field.
 *
 * @param text what the rule wrote, the body of the queue's record.
 */
export function decodeEnvelope(text: string): RuleEnvelope {
  const fields = parseJson(text);
  if (!isObject(fields)) return invalid('no JSON object');
  if (fields.v !== ENVELOPE_VERSION) return unknownVersion(fields.v);
  const envelope: RuleEnvelope = {
    taskId: textOf(fields, 'task') ?? invalid('no task'),
    version: numberOf(fields, 'r') ?? invalid('no r'),
    ruleNumber: numberOf(fields, 'f') ?? invalid('no f'),
    topicName: textOf(fields, 't') ?? invalid('no t'),
    payload: bytesOf(fields, 'p') ?? Buffer.alloc(0),
    userProperties: userPropertiesOf(fields.up),
  };
  readOrigin(envelope, fields);
  readMqtt5(envelope, fields);
  return envelope;
}

/**
 * The MQTT message in an envelope, and its provenance. What earlier tasks have marked is taken off the user properties
 * and becomes the path.
 */
export function messageOfEnvelope(
  envelope: RuleEnvelope,
  receipt: EnvelopeReceipt,
): { message: MqttMessage; provenance: Provenance } {
  const { path, userProperties } = takePath(envelope.userProperties);
  const message: MqttMessage = { topicName: envelope.topicName, payload: envelope.payload, userProperties };
  if (envelope.clientId !== undefined) message.clientId = envelope.clientId;
  if (envelope.contentType !== undefined) message.contentType = envelope.contentType;
  if (envelope.payloadFormat !== undefined) message.payloadFormat = envelope.payloadFormat;
  if (envelope.responseTopic !== undefined) message.responseTopic = envelope.responseTopic;
  if (envelope.correlationData !== undefined) message.correlationData = envelope.correlationData;
  const provenance: Provenance = {
    messageId: envelope.traceId ?? receipt.recordId,
    path,
    receiptTimeMs: receipt.receiptTimeMs,
    sendTimeMs: receipt.sendTimeMs,
  };
  if (envelope.ruleTimeMs !== undefined) provenance.sourceTimeMs = envelope.ruleTimeMs;
  return { message, provenance };
}

function readOrigin(envelope: RuleEnvelope, fields: Fields): void {
  const clientId = textOf(fields, 'c');
  // What clientid() says of a message that was not sent over MQTT.
  if (clientId !== undefined && clientId !== 'n/a') envelope.clientId = clientId;
  const ruleTimeMs = numberOf(fields, 'ts');
  if (ruleTimeMs !== undefined) envelope.ruleTimeMs = ruleTimeMs;
  const traceId = textOf(fields, 'id');
  if (traceId !== undefined) envelope.traceId = traceId;
}

function readMqtt5(envelope: RuleEnvelope, fields: Fields): void {
  const contentType = textOf(fields, 'ct');
  if (contentType !== undefined) envelope.contentType = contentType;
  const formatIndicator = textOf(fields, 'fi');
  if (formatIndicator === 'UTF8_DATA') envelope.payloadFormat = 1;
  else if (formatIndicator !== undefined && formatIndicator !== 'UNSPECIFIED_BYTES') invalid('a wrong fi');
  const responseTopic = textOf(fields, 'rt');
  if (responseTopic !== undefined) envelope.responseTopic = responseTopic;
  const correlationData = bytesOf(fields, 'cd');
  if (correlationData !== undefined) envelope.correlationData = correlationData;
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  return value === undefined || typeof value === 'string' ? value : invalid(`a wrong ${name}`);
}

function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  return value === undefined || isWholeNumber(value) ? value : invalid(`a wrong ${name}`);
}

function bytesOf(fields: Fields, name: string): Buffer | undefined {
  const text = textOf(fields, name);
  return text === undefined ? undefined : (decodeBase64(text) ?? invalid(`a wrong ${name}`));
}

/** `get_user_properties()` answers an array of objects with one member each, so that order and repetitions survive. */
function userPropertiesOf(value: unknown): UserProperty[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return invalid('a wrong up');
  return value.map(userPropertyOf);
}

function userPropertyOf(element: unknown): UserProperty {
  let property: UserProperty | undefined;
  if (isObject(element)) {
    for (const name in element) {
      const value = element[name];
      if (property !== undefined || typeof value !== 'string') return invalid('a wrong up');
      property = [name, value];
    }
  }
  return property ?? invalid('a wrong up');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function unknownVersion(version: unknown): never {
  if (!isWholeNumber(version)) return invalid('a wrong v');
  throw new UnmappableMessageError(
    `the envelope has version ${version}, and only ${ENVELOPE_VERSION} is known here`,
    {
      code: 'ENVELOPE_VERSION_UNKNOWN',
      hint: 'deploy a newer version of mqferry and redrive the message',
    },
  );
}

function invalid(what: string): never {
  throw new UnmappableMessageError(`the envelope has ${what}`, { code: 'ENVELOPE_INVALID' });
}

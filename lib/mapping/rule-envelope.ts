import type { UserProperty } from '../domain/messages/message.ts';
import { checkAwsIotTopicFilter } from '../domain/topics/topic-filter-syntax.ts';
import { bytesOf, type Fields, invalid, isObject, numberOf, textOf } from './envelope-fields.ts';

/** Version of the envelope that `ruleSql` writes. */
export const RULE_ENVELOPE_VERSION = 1;

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
    `SELECT ${RULE_ENVELOPE_VERSION} AS v, '${rule.taskId}' AS task, ${rule.version} AS r, ${rule.ruleNumber} AS f, ` +
    'topic() AS t, clientid() AS c, timestamp() AS ts, traceid() AS id, ' +
    "encode(*, 'base64') AS p, get_user_properties() AS up, " +
    "get_mqtt_property('content_type') AS ct, get_mqtt_property('format_indicator') AS fi, " +
    "get_mqtt_property('response_topic') AS rt, get_mqtt_property('correlation_data') AS cd " +
    `FROM '${rule.topicFilter}'`
  );
}

/** Reads what a rule wrote; `ENVELOPE_INVALID` names the field that is wrong. */
export function decodeRuleEnvelope(fields: Fields): RuleEnvelope {
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

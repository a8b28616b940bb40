import { PayloadTooLargeError, UnmappableMessageError } from '../domain/errors.ts';
import type { MqttMessage, Provenance, RocketmqMessage } from '../domain/message.ts';
import { checkRocketmqMessage } from '../domain/rocketmq-limits.ts';
import { toKey, toMessageGroup, toTag } from '../domain/rocketmq-names.ts';
import type { MqttToRocketmqDefinition, TaskOptions } from '../domain/task.ts';
import { parseTemplate, render, type Template } from '../domain/template.ts';
import { contextOfMqttMessage, type TemplateContext } from '../domain/template-context.ts';
import { utf8Length } from '../domain/text.ts';
import { encodeBase64 } from './base64.ts';
import { putText, putUserProperties } from './properties.ts';
import { type Carried, packProperties } from './property-envelope.ts';
import { putProvenance } from './provenance.ts';
import { MQTT } from './wire-names.ts';

/**
 * Makes the RocketMQ message that carries an MQTT message. Throws errors whose reaction is `dead-letter`:
 * `UnmappableMessageError`, `InvalidTopicError`, `InvalidMessageError`, `PayloadTooLargeError`.
 */
export type MqttToRocketmqMapper = (message: MqttMessage, provenance: Provenance) => RocketmqMessage;

/** Below RocketMQ's own limits (128 and 16 KiB), so that what consumers or later hops add still fits. */
const MAX_CARRIED_PROPERTIES = 120;
const MAX_CARRIED_BYTES = 15 * 1024;

/** What counts against RocketMQ's limit of properties. */
interface Head {
  tag: string | undefined;
  keys: readonly string[];
  properties: Map<string, string>;
}

/** RocketMQ's proxy refuses an empty body. */
const FILLER = Buffer.of(0);
const FIRST_KEY = 'first-key';
const GROUP_OF_ORDERING: Record<TaskOptions['ordering'], string | undefined> = {
  none: undefined,
  client: '${clientId}',
  topic: '${topic}',
  key: FIRST_KEY,
};

interface CompiledTarget {
  topic: Template;
  tag?: Template;
  keys: readonly Template[];
  /** `first-key`: the first rendered key (`ordering: key`). */
  messageGroup?: Template | typeof FIRST_KEY;
}

/**
 * Compiles the mapping of a definition. Everything an MQTT message has is carried, see docs/mapping.md, and the message
 * passes the proxy's rules. Throws a `TypeError` for a template that does not parse: it was checked when the task was
 * saved, so this is a fault of ours, and no message may become a dead letter by it.
 */
export function createMqttToRocketmqMapper(
  definition: MqttToRocketmqDefinition,
  taskId: string,
): MqttToRocketmqMapper {
  const target = compileTarget(definition);
  const { oversize } = definition.options;
  return (message, provenance) => {
    const context = contextOfMqttMessage(message);
    const keys = renderKeys(target, context);
    const tag = target.tag && toTag(render(target.tag, context));
    const properties = propertiesOf(message, provenance, taskId);
    const mapped: RocketmqMessage = {
      rocketmqTopic: render(target.topic, context),
      keys,
      ...carry(message.payload, { tag, keys, properties }, oversize),
    };
    if (tag !== undefined) mapped.tag = tag;
    if (target.messageGroup !== undefined) {
      mapped.messageGroup = renderGroup(target.messageGroup, keys, context);
    }
    const error = checkRocketmqMessage(mapped);
    if (error !== undefined) throw error;
    return mapped;
  };
}

function compileTarget({ target, options }: MqttToRocketmqDefinition): CompiledTarget {
  const compiled: CompiledTarget = { topic: compile(target.topic), keys: (target.keys ?? []).map(compile) };
  if (target.tag !== undefined) compiled.tag = compile(target.tag);
  const messageGroup = target.messageGroup ?? GROUP_OF_ORDERING[options.ordering];
  if (messageGroup === FIRST_KEY) compiled.messageGroup = messageGroup;
  else if (messageGroup !== undefined) compiled.messageGroup = compile(messageGroup);
  return compiled;
}

function compile(text: string): Template {
  const parsed = parseTemplate(text);
  if (parsed.ok) return parsed.template;
  throw new TypeError(`the template "${text}" does not parse at ${parsed.position}: ${parsed.message}`);
}

function renderKeys(target: CompiledTarget, context: TemplateContext): string[] {
  const keys: string[] = [];
  for (const template of target.keys) {
    const key = toKey(render(template, context));
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function renderGroup(
  group: Template | typeof FIRST_KEY,
  keys: readonly string[],
  context: TemplateContext,
): string {
  const messageGroup = toMessageGroup(group === FIRST_KEY ? (keys[0] ?? '') : render(group, context));
  if (messageGroup !== undefined) return messageGroup;
  // Without a group the message would leave the order it belongs to.
  throw new UnmappableMessageError('the message group is empty for this message', {
    code: 'MESSAGE_GROUP_EMPTY',
  });
}

function propertiesOf(message: MqttMessage, provenance: Provenance, taskId: string): Map<string, string> {
  const properties = new Map<string, string>();
  putText(properties, MQTT.topic, message.topicName);
  if (message.clientId !== undefined) putText(properties, MQTT.clientId, message.clientId);
  if (message.qos !== undefined) properties.set(MQTT.qos, String(message.qos));
  if (message.retain !== undefined) properties.set(MQTT.retain, String(message.retain));
  if (message.contentType !== undefined) putText(properties, MQTT.contentType, message.contentType);
  if (message.responseTopic !== undefined) putText(properties, MQTT.responseTopic, message.responseTopic);
  if (message.correlationData !== undefined) {
    properties.set(MQTT.correlationData, encodeBase64(message.correlationData));
  }
  if (message.payloadFormat !== undefined) properties.set(MQTT.payloadFormat, String(message.payloadFormat));
  if (message.expirySeconds !== undefined) properties.set(MQTT.expiry, String(message.expirySeconds));
  putProvenance(properties, provenance, taskId);
  putUserProperties(properties, message.userProperties);
  return properties;
}

/** Puts payload and properties within RocketMQ's limits, or throws `PROPERTIES_TOO_LARGE`. */
function carry(payload: Buffer, head: Head, oversize: TaskOptions['oversize']): Carried {
  const { properties } = head;
  if (isSmall(head)) {
    if (payload.length > 0) return { body: payload, properties };
    properties.set(MQTT.empty, '1');
    return { body: FILLER, properties };
  }
  if (oversize === 'envelope') return packProperties(payload, properties);
  throw new PayloadTooLargeError(
    `the message makes ${properties.size} properties with ${headSize(head, utf8Length)} bytes, tag and keys included; ` +
      `at most ${MAX_CARRIED_PROPERTIES} and ${MAX_CARRIED_BYTES} are carried`,
    { code: 'PROPERTIES_TOO_LARGE', hint: 'options.oversize "envelope" packs the properties into the body' },
  );
}

function isSmall(head: Head): boolean {
  if (head.properties.size > MAX_CARRIED_PROPERTIES) return false;
  // A UTF-16 unit makes at most three bytes: nearly every message is seen to be small without encoding it.
  return (
    headSize(head, (text) => text.length * 3) <= MAX_CARRIED_BYTES ||
    headSize(head, utf8Length) <= MAX_CARRIED_BYTES
  );
}

function headSize({ tag = '', keys, properties }: Head, sizeOf: (text: string) => number): number {
  let size = sizeOf(tag);
  for (const key of keys) size += sizeOf(key);
  for (const [name, value] of properties) size += sizeOf(name) + sizeOf(value);
  return size;
}

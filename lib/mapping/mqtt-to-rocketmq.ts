import { BridgeError, PayloadTooLargeError, UnmappableMessageError } from '../domain/errors/errors.ts';
import { type CheckedMessage, checkMessage } from '../domain/messages/checked-message.ts';
import type { MqttMessage, Provenance, RocketmqMessage } from '../domain/messages/message.ts';
import type { MqttToRocketmqDefinition, TaskOptions } from '../domain/tasks/task.ts';
import { contextOfMqttMessage, type TemplateContext } from '../domain/templates/template-context.ts';
import { utf8Length } from '../domain/text.ts';
import { toKey, toMessageGroup, toTag } from '../domain/topics/rocketmq-names.ts';
import { isBornInRocketmq, keysOf, tagOf } from './birth-marks.ts';
import { type CompiledTemplate, compileTemplate, renderCompiled } from './compiled-template.ts';
import type { NameSet } from './name-set.ts';
import { NAME_SETS } from './name-sets.ts';
import { packProperties } from './property-envelope.ts';
import { putProvenance, RESENT_BYTES } from './provenance.ts';
import { restoreProperties } from './user-properties.ts';

/**
 * Makes the RocketMQ message that carries an MQTT message. It has passed RocketMQ's own rules, and is not checked again
 * when it is sent. Throws errors whose reaction is `dead-letter`: `UnmappableMessageError`, `InvalidTopicError`,
 * `InvalidMessageError`, `PayloadTooLargeError`.
 */
export type MqttToRocketmqMapper = (message: MqttMessage, provenance: Provenance) => RocketmqMessage;

/** Below RocketMQ's own limits (128 and 16 KiB), so that what consumers or later hops add still fits. */
const MAX_CARRIED_PROPERTIES = 120;
const MAX_CARRIED_BYTES = 15 * 1024;

const FIRST_KEY = 'first-key';
const GROUP_OF_ORDERING: Record<TaskOptions['ordering'], string | undefined> = {
  none: undefined,
  client: '${clientId}',
  topic: '${topic}',
  key: FIRST_KEY,
};
const NO_KEYS: readonly string[] = [];

interface CompiledTarget {
  topic: CompiledTemplate;
  tag?: CompiledTemplate;
  keys?: readonly CompiledTemplate[];
  messageGroup?: CompiledTemplate;
  /** The message group is the first rendered key (`ordering: key`). */
  isGroupedByKey: boolean;
}

/** A message in the making. */
type Draft = RocketmqMessage & { properties: Map<string, string> };

/**
 * Compiles the mapping of a definition. Everything an MQTT message has is carried, see docs/mapping.md, and the message
 * passes the proxy's rules. Throws a `TypeError` for a template that does not parse.
 */
export function createMqttToRocketmqMapper(
  definition: MqttToRocketmqDefinition,
  taskId: string,
): MqttToRocketmqMapper {
  const target = compileTarget(definition);
  const { oversize, propertyNames } = definition.options;
  const names = NAME_SETS[propertyNames];
  return (message, provenance) => {
    const draft = makeDraft(message, provenance, target, names);
    putProvenance(draft.properties, provenance, taskId);
    if (message.payload.length === 0) draft.body = names.putEmpty(draft.properties);
    const checked = checkMessage(draft);
    if (!(checked instanceof BridgeError) && isCarried(checked, provenance)) return checked;
    if (checked instanceof BridgeError && checked.code !== TOO_LARGE) throw checked;
    if (oversize === 'deadletter') throw tooLarge(draft);
    return packed(draft, message.payload);
  };
}

const TOO_LARGE = 'PROPERTIES_TOO_LARGE';

function compileTarget({ target, options }: MqttToRocketmqDefinition): CompiledTarget {
  const messageGroup = target.messageGroup ?? GROUP_OF_ORDERING[options.ordering];
  const isGroupedByKey = target.messageGroup === undefined && messageGroup === FIRST_KEY;
  const compiled: CompiledTarget = { topic: compileTemplate(target.topic), isGroupedByKey };
  if (target.tag !== undefined) compiled.tag = compileTemplate(target.tag);
  if (target.keys !== undefined) compiled.keys = target.keys.map(compileTemplate);
  if (messageGroup !== undefined && !isGroupedByKey) compiled.messageGroup = compileTemplate(messageGroup);
  return compiled;
}

function makeDraft(
  message: MqttMessage,
  provenance: Provenance,
  target: CompiledTarget,
  names: NameSet,
): Draft {
  const context = contextOfMqttMessage(message);
  const isReturning = provenance.path.length > 0 && isBornInRocketmq(message.userProperties);
  const properties = new Map<string, string>();
  names.put(properties, message);
  if (isReturning) restoreProperties(properties, message.userProperties, names.wireNames);
  else names.putUserProperties(properties, message);
  const draft: Draft = {
    rocketmqTopic: renderCompiled(target.topic, context),
    body: message.payload,
    keys: keysFor(message, target, context, isReturning),
    properties,
  };
  const tag =
    target.tag === undefined
      ? untemplatedTag(message, names, isReturning)
      : renderCompiled(target.tag, context);
  const usableTag = tag === undefined ? undefined : toTag(tag);
  if (usableTag !== undefined) draft.tag = usableTag;
  if (target.isGroupedByKey) draft.messageGroup = groupOf(draft.keys[0] ?? '');
  else if (target.messageGroup !== undefined) {
    draft.messageGroup = groupOf(renderCompiled(target.messageGroup, context));
  }
  return draft;
}

function untemplatedTag(message: MqttMessage, names: NameSet, isReturning: boolean): string | undefined {
  return (isReturning ? tagOf(message.userProperties) : undefined) ?? names.tag;
}

function keysFor(
  message: MqttMessage,
  { keys: templates }: CompiledTarget,
  context: TemplateContext,
  isReturning: boolean,
): readonly string[] {
  if (templates === undefined) return isReturning ? usableKeys(keysOf(message.userProperties)) : NO_KEYS;
  const rendered: string[] = [];
  for (const template of templates) rendered.push(renderCompiled(template, context));
  return usableKeys(rendered);
}

function usableKeys(texts: readonly string[]): string[] {
  const keys: string[] = [];
  for (const text of texts) {
    const key = toKey(text);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function groupOf(text: string): string {
  const messageGroup = toMessageGroup(text);
  if (messageGroup !== undefined) return messageGroup;
  // Without a group the message would leave the order it belongs to.
  throw new UnmappableMessageError('the message group is empty for this message', {
    code: 'MESSAGE_GROUP_EMPTY',
  });
}

/** The mark of being sent again has room of its own: what was carried once is carried again. */
function isCarried({ properties, propertyBytes }: CheckedMessage, { isResent }: Provenance): boolean {
  const [marks, bytes] = isResent === true ? [1, RESENT_BYTES] : [0, 0];
  return properties.size - marks <= MAX_CARRIED_PROPERTIES && propertyBytes - bytes <= MAX_CARRIED_BYTES;
}

function packed(draft: Draft, payload: Buffer): CheckedMessage {
  const checked = checkMessage({ ...draft, ...packProperties(payload, draft.properties) });
  if (checked instanceof BridgeError) throw checked;
  return checked;
}

function tooLarge({ tag = '', keys, properties }: Draft): PayloadTooLargeError {
  let bytes = utf8Length(tag);
  for (const key of keys) bytes += utf8Length(key);
  for (const [name, value] of properties) bytes += utf8Length(name) + utf8Length(value);
  return new PayloadTooLargeError(
    `the message makes ${properties.size} properties with ${bytes} bytes, tag and keys included; ` +
      `at most ${MAX_CARRIED_PROPERTIES} and ${MAX_CARRIED_BYTES} are carried`,
    { code: TOO_LARGE, hint: 'options.oversize "envelope" packs the properties into the body' },
  );
}

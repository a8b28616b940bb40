import type { ClusterKind } from '../domain/clusters/cluster.ts';
import { InvalidTopicError, UnmappableMessageError } from '../domain/errors/errors.ts';
import { isTooOld, remainingExpirySeconds } from '../domain/messages/expiry.ts';
import { loopReason } from '../domain/messages/loop-guard.ts';
import type {
  OutgoingMqttMessage,
  Provenance,
  ReceivedRocketmqMessage,
  UserProperty,
} from '../domain/messages/message.ts';
import type { RocketmqToMqttDefinition, TaskOptions } from '../domain/tasks/task.ts';
import { contextOfRocketmqMessage, type TemplateContext } from '../domain/templates/template-context.ts';
import { checkAwsIotTopicName, checkTopicName } from '../domain/topics/topic-name.ts';
import { withBirthMarks } from './birth-marks.ts';
import { type DecodedMessage, decodeRocketmqMessage } from './carried-message.ts';
import { type CompiledTemplate, compileTemplate, renderCompiled } from './compiled-template.ts';
import { pulledMessageId } from './message-id.ts';
import { requireMqttBytes, requireMqttText } from './mqtt-text.ts';
import { NAME_SETS } from './name-sets.ts';
import { nativeText } from './native-names.ts';
import { putProvenance, readPath } from './provenance.ts';

/** Clocks of one hop, epoch milliseconds: when the message was received, and when it is published (now). */
export interface HopTimes {
  receiptTimeMs: number;
  sendTimeMs: number;
  /** Id of the dead letter that the message was before it was redriven. */
  redriven?: string;
  /** An earlier publishing may have arrived. */
  isResent?: boolean;
}

/** What is to be done with a received message. `skip`: it is acknowledged at its source, and counted under the reason. */
export type PulledOutcome =
  | { kind: 'publish'; message: OutgoingMqttMessage }
  | { kind: 'skip'; reason: 'loopSkipped' | 'expired' };

/**
 * Makes the MQTT message of a RocketMQ message. Called anew for each attempt, since what is left of its expiry depends on
 * the time. Throws errors whose reaction is `dead-letter`: `UnmappableMessageError`, `InvalidTopicError`.
 */
export type RocketmqToMqttMapper = (received: ReceivedRocketmqMessage, times: HopTimes) => PulledOutcome;

const DEFAULT_QOS = 1;
const RETAIN_OF_OPTION: Record<TaskOptions['retain'], boolean | undefined> = {
  keep: undefined,
  force: true,
  drop: false,
};

interface CompiledTarget {
  topic: CompiledTemplate;
  qos?: CompiledTemplate;
  retain?: CompiledTemplate;
}

/**
 * Compiles the mapping of a definition; see docs/mapping.md. What mqferry made from an MQTT message goes back as it was, with
 * its user properties in order; what was born in RocketMQ brings its properties, and tag, keys and the like as `rmq_*`
 * user properties. Throws a `TypeError` for a template that does not parse.
 *
 * @param targetKind AWS IoT Core has shorter topic names than MQTT, and no QoS 2.
 */
export function createRocketmqToMqttMapper(
  definition: RocketmqToMqttDefinition,
  taskId: string,
  targetKind: Exclude<ClusterKind, 'rocketmq'> = 'mqtt',
): RocketmqToMqttMapper {
  const target = compileTarget(definition);
  const { maxHops, maxAgeSeconds, propertyNames, retain: retainOption } = definition.options;
  const names = NAME_SETS[propertyNames];
  const maxQos = targetKind === 'aws-iot' ? 1 : 2;
  return (received, times) => {
    const path = readPath(received.properties);
    if (loopReason(path, taskId, maxHops) !== undefined) return { kind: 'skip', reason: 'loopSkipped' };
    const { bornTimeMs } = received;
    if (isTooOld(maxAgeSeconds, bornTimeMs, times.sendTimeMs)) return { kind: 'skip', reason: 'expired' };
    const decoded = decodeRocketmqMessage(received, names);
    const expirySeconds = remainingExpiry(decoded, bornTimeMs, times.sendTimeMs);
    if (expirySeconds === 'expired') return { kind: 'skip', reason: 'expired' };
    const carried = decoded.message;
    const context = contextOf(received, decoded);
    const message: OutgoingMqttMessage = {
      ...carried,
      topicName: topicOf(renderCompiled(target.topic, context), targetKind),
      qos: lowerQos(renderQos(target.qos, context) ?? carried.qos ?? DEFAULT_QOS, maxQos),
      retain:
        renderRetain(target.retain, context) ?? RETAIN_OF_OPTION[retainOption] ?? carried.retain ?? false,
      userProperties: withMarks(
        path.length > 0 ? [...carried.userProperties] : withBirthMarks(received, carried.userProperties),
        { messageId: pulledMessageId(received), path, sourceTimeMs: bornTimeMs, ...times },
        taskId,
      ),
    };
    if (expirySeconds !== undefined) message.expirySeconds = expirySeconds;
    requirePublishable(message);
    return { kind: 'publish', message };
  };
}

function compileTarget({ target }: RocketmqToMqttDefinition): CompiledTarget {
  const compiled: CompiledTarget = { topic: compileTemplate(target.topic) };
  if (target.qos !== undefined) compiled.qos = compileTemplate(String(target.qos));
  if (target.retain !== undefined) compiled.retain = compileTemplate(String(target.retain));
  return compiled;
}

/** Counted from our receipt of the MQTT message, and for a message that never was one from its birth. */
function remainingExpiry(
  { message, provenance }: DecodedMessage,
  bornTimeMs: number,
  nowMs: number,
): number | undefined | 'expired' {
  if (message.expirySeconds === undefined) return undefined;
  const sinceMs = provenance.path.length > 0 ? provenance.receiptTimeMs : undefined;
  return remainingExpirySeconds(message.expirySeconds, sinceMs ?? bornTimeMs, nowMs) ?? 'expired';
}

function contextOf(received: ReceivedRocketmqMessage, decoded: DecodedMessage): TemplateContext {
  const { message, properties } = decoded;
  return contextOfRocketmqMessage({
    rocketmqTopic: received.rocketmqTopic,
    tag: received.tag,
    keys: received.keys,
    clientId: message.clientId,
    payload: message.payload,
    // First as the message says it, whatever the name set, and as the text that a base64 stands for.
    property: (name) =>
      nativeText(message, name) ??
      properties.get(name) ??
      message.userProperties.find(([candidate]) => candidate === name)?.[1],
  });
}

function topicOf(topicName: string, targetKind: 'aws-iot' | 'mqtt'): string {
  const violation = targetKind === 'aws-iot' ? checkAwsIotTopicName(topicName) : checkTopicName(topicName);
  if (violation === undefined) return topicName;
  throw new InvalidTopicError(violation.message);
}

function renderQos(template: CompiledTemplate | undefined, context: TemplateContext): 0 | 1 | 2 | undefined {
  if (template === undefined) return undefined;
  const text = renderCompiled(template, context);
  if (text === '0' || text === '1' || text === '2') return Number(text) as 0 | 1 | 2;
  throw new UnmappableMessageError('the rendered QoS is none of 0, 1 and 2', { code: 'QOS_INVALID' });
}

function lowerQos(qos: 0 | 1 | 2, maxQos: 1 | 2): 0 | 1 | 2 {
  return qos > maxQos ? maxQos : qos;
}

function renderRetain(template: CompiledTemplate | undefined, context: TemplateContext): boolean | undefined {
  if (template === undefined) return undefined;
  const text = renderCompiled(template, context);
  if (text === 'true' || text === 'false') return text === 'true';
  throw new UnmappableMessageError('the rendered retain is neither true nor false', {
    code: 'RETAIN_INVALID',
  });
}

/** Adds the marks of this hop at the end. */
function withMarks(userProperties: UserProperty[], provenance: Provenance, taskId: string): UserProperty[] {
  putProvenance({ set: (name, value) => userProperties.push([name, value]) }, provenance, taskId);
  return userProperties;
}

/** A broker ends the connection over any of these, so one message would stop all. */
function requirePublishable(message: OutgoingMqttMessage): void {
  requireMqttText('the content type', message.contentType);
  requireMqttBytes('the correlation data', message.correlationData);
  for (const [name, value] of message.userProperties) {
    requireMqttText('the name of a user property', name);
    requireMqttText('a user property', value);
  }
  const { responseTopic } = message;
  if (responseTopic === undefined || checkTopicName(responseTopic) === undefined) return;
  throw new UnmappableMessageError('the response topic is no legal topic name [MQTT-3.3.2-14]', {
    code: 'RESPONSE_TOPIC_INVALID',
  });
}

import { isUtf8 } from 'node:buffer';
import { UnmappableMessageError } from '../domain/errors/errors.ts';
import { isoTime } from '../domain/iso-time.ts';
import type { Outage, PresenceEvent, PresenceSignal, Will } from '../domain/messages/device-presence.ts';
import type { MqttMessage } from '../domain/messages/message.ts';
import type { PresenceOption } from '../domain/tasks/presence-option.ts';
import { contextOfMqttMessage, type TemplateContext } from '../domain/templates/template-context.ts';
import { utf8Length } from '../domain/text.ts';
import { createTopicMatcher } from '../domain/topics/topic-filter.ts';
import { type CompiledTemplate, compileTemplate, renderCompiled } from './compiled-template.ts';
import { isObject, isWholeNumber } from './envelope-fields.ts';
import { parseJson } from './json.ts';

const EVENTS = '$aws/events/presence/';
const EVENT_TOPIC = /^\$aws\/events\/presence\/(connected|disconnected)\/(.+)$/su;
/** AWS IoT Core takes 128; a will may name its device by whatever its topic holds. */
const MAX_CLIENT_ID_BYTES = 256;

/** Reason of an outage of which only the will has told. */
const WILL_ONLY = 'WILL';

/** What a message says of a device. */
export interface DeviceSignal {
  clientId: string;
  signal: PresenceSignal;
}

/**
 * Tells what a message says of a device; undefined: it is a message like others. Throws `UnmappableMessageError`:
 * `PRESENCE_EVENT_INVALID`, `PRESENCE_CLIENT_INVALID`, `TEMPLATE_VALUE_MISSING`.
 *
 * @param atMs when it was published, for what does not say so itself
 */
export type PresenceReader = (message: MqttMessage, atMs: number) => DeviceSignal | undefined;

/** Compiles `options.presence`. Throws a `TypeError` for a template that does not parse. */
export function createPresenceReader({ will }: PresenceOption): PresenceReader {
  const willOf: PresenceReader = will === undefined ? () => undefined : createWillReader(will);
  return (message, atMs) => {
    const [, kind, clientId = ''] = EVENT_TOPIC.exec(message.topicName) ?? [];
    if (kind === 'connected' || kind === 'disconnected') {
      return { clientId: checkedClientId(clientId), signal: { event: eventOf(kind, message.payload) } };
    }
    return willOf(message, atMs);
  };
}

function createWillReader({
  topicFilter,
  clientId,
  when,
}: NonNullable<PresenceOption['will']>): PresenceReader {
  const isOfTopic = createTopicMatcher(topicFilter, 'aws-iot');
  const client = compileTemplate(clientId);
  const condition =
    when === undefined ? undefined : { value: compileTemplate(when.value), equals: when.equals };
  return (message, atMs) => {
    if (!isOfTopic(message.topicName)) return undefined;
    const context = contextOfMqttMessage(message);
    if (condition !== undefined && valueIn(condition.value, context) !== condition.equals) return undefined;
    const will: Will = {
      atMs,
      topicName: message.topicName,
      payload: message.payload.toString('base64'),
      userProperties: message.userProperties.map(([name, value]) => [name, value]),
    };
    return { clientId: checkedClientId(renderCompiled(client, context)), signal: { will } };
  };
}

/** A message without the value is none of those that are looked for. */
function valueIn(template: CompiledTemplate, context: TemplateContext): string | undefined {
  try {
    return renderCompiled(template, context);
  } catch (error) {
    if (error instanceof UnmappableMessageError) return undefined;
    throw error;
  }
}

function checkedClientId(clientId: string): string {
  if (clientId !== '' && utf8Length(clientId) <= MAX_CLIENT_ID_BYTES) return clientId;
  throw new UnmappableMessageError(
    `a client identifier has 1 to ${MAX_CLIENT_ID_BYTES} bytes, and this one has ${utf8Length(clientId)}`,
    { code: 'PRESENCE_CLIENT_INVALID', hint: 'correct options.presence.will.clientId' },
  );
}

function eventOf(kind: PresenceEvent['kind'], payload: Buffer): PresenceEvent {
  const fields = parseJson(payload.toString('utf8'));
  if (!isObject(fields) || !isWholeNumber(fields.timestamp)) {
    throw new UnmappableMessageError('the lifecycle event is no JSON object with a timestamp', {
      code: 'PRESENCE_EVENT_INVALID',
    });
  }
  const { timestamp, versionNumber, sessionIdentifier, disconnectReason, clientInitiatedDisconnect } = fields;
  const event: PresenceEvent = { kind, atMs: Number(timestamp) };
  if (isWholeNumber(versionNumber)) event.version = versionNumber;
  if (typeof sessionIdentifier === 'string') event.session = sessionIdentifier;
  if (kind === 'connected') return event;
  if (typeof disconnectReason === 'string') event.reason = disconnectReason;
  return { ...event, isClean: clientInitiatedDisconnect === true };
}

/**
 * The message that a device is offline, as an MQTT message that goes through the task's mapping. Whichever message has told
 * it, its topic is that of the disconnect event; the user properties are the will's.
 */
export function offlineMessage(
  clientId: string,
  { outage, will }: { outage: Outage; will?: Will },
): MqttMessage {
  const { event, sinceMs, backAtMs } = outage;
  const body = {
    event: 'offline',
    clientId,
    reason: event === undefined ? WILL_ONLY : (event.reason ?? 'UNKNOWN'),
    clientInitiated: event?.isClean ?? false,
    offlineSince: isoTime(event?.atMs ?? sinceMs),
    backOnlineAt: backAtMs === undefined ? undefined : isoTime(backAtMs),
    sessionIdentifier: event?.session,
    versionNumber: event?.version,
    will: will === undefined ? undefined : willPart(will),
  };
  return {
    topicName: `${EVENTS}disconnected/${clientId}`,
    clientId,
    // JSON leaves out what is undefined.
    payload: Buffer.from(JSON.stringify(body)),
    userProperties: will?.userProperties ?? [],
    contentType: 'application/json',
    payloadFormat: 1,
  };
}

/** The payload byte for byte; beside it what it says, where that is JSON. */
function willPart({ atMs, topicName, payload }: Will): Record<string, unknown> {
  const bytes = Buffer.from(payload, 'base64');
  const json = isUtf8(bytes) ? parseJson(bytes.toString('utf8')) : undefined;
  return { topic: topicName, at: isoTime(atMs), payload: json, payloadBase64: payload };
}

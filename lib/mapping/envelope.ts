import { UnmappableMessageError } from '../domain/errors/errors.ts';
import type { MqttMessage, Provenance, UserProperty } from '../domain/messages/message.ts';
import { invalid, isObject, isWholeNumber } from './envelope-fields.ts';
import { parseJson } from './json.ts';
import { takePath } from './provenance.ts';
import { decodeRuleEnvelope, RULE_ENVELOPE_VERSION, type RuleEnvelope } from './rule-envelope.ts';
import { decodeSessionEnvelope, SESSION_ENVELOPE_VERSION, type SessionEnvelope } from './session-envelope.ts';

/** A message in a task's own queue, with what the path that put it there knew of it. */
export type Envelope = RuleEnvelope | SessionEnvelope;

/** When and as what the record with the envelope was received. */
export interface EnvelopeReceipt {
  /** Stands in for an absent `traceid()`; stable over redeliveries. */
  recordId: string;
  receiptTimeMs: number;
  sendTimeMs: number;
}

/**
 * Reads an envelope of either path; every version ever released stays readable. Throws `UnmappableMessageError`:
 * `ENVELOPE_VERSION_UNKNOWN`, or `ENVELOPE_INVALID` naming the field.
 *
 * @param text the body of the queue's record; where `decodeLargeEnvelope` finds a key, the text that lies there.
 */
export function decodeEnvelope(text: string): Envelope {
  const fields = parseJson(text);
  if (!isObject(fields)) return invalid('no JSON object');
  if (fields.v === RULE_ENVELOPE_VERSION) return decodeRuleEnvelope(fields);
  if (fields.v === SESSION_ENVELOPE_VERSION) return decodeSessionEnvelope(fields);
  return unknownVersion(fields.v);
}

/** Whether an envelope came by a topic rule of AWS IoT Core. */
export function isRuleEnvelope(envelope: Envelope): envelope is RuleEnvelope {
  return 'ruleNumber' in envelope;
}

/**
 * The MQTT message in an envelope, and its provenance. What earlier tasks have marked is taken off the user properties
 * and becomes the path. A session's message was received when the session took it in, not when the queue gave it out.
 */
export function messageOfEnvelope(
  envelope: Envelope,
  receipt: EnvelopeReceipt,
): { message: MqttMessage; provenance: Provenance } {
  const { path, userProperties } = takePath(envelope.userProperties);
  const { receiptTimeMs, sendTimeMs } = receipt;
  if (!isRuleEnvelope(envelope)) {
    return {
      message: { ...messageOfSession(envelope), userProperties },
      provenance: {
        messageId: envelope.messageId,
        path,
        receiptTimeMs: envelope.receiptTimeMs,
        sendTimeMs,
        ...(envelope.isResent === true && { isResent: true }),
      },
    };
  }
  const messageId = envelope.traceId ?? receipt.recordId;
  const provenance: Provenance = { messageId, path, receiptTimeMs, sendTimeMs };
  if (envelope.ruleTimeMs !== undefined) provenance.sourceTimeMs = envelope.ruleTimeMs;
  return { message: messageOfRule(envelope, userProperties), provenance };
}

function messageOfRule(envelope: RuleEnvelope, userProperties: readonly UserProperty[]): MqttMessage {
  const message: MqttMessage = { topicName: envelope.topicName, payload: envelope.payload, userProperties };
  if (envelope.clientId !== undefined) message.clientId = envelope.clientId;
  if (envelope.contentType !== undefined) message.contentType = envelope.contentType;
  if (envelope.payloadFormat !== undefined) message.payloadFormat = envelope.payloadFormat;
  if (envelope.responseTopic !== undefined) message.responseTopic = envelope.responseTopic;
  if (envelope.correlationData !== undefined) message.correlationData = envelope.correlationData;
  return message;
}

function messageOfSession({
  taskId: _taskId,
  version: _version,
  filterIndex: _filterIndex,
  messageId: _messageId,
  receiptTimeMs: _receiptTimeMs,
  isResent: _isResent,
  ...message
}: SessionEnvelope): MqttMessage {
  return message;
}

function unknownVersion(version: unknown): never {
  if (!isWholeNumber(version)) return invalid('a wrong v');
  throw new UnmappableMessageError(
    `the envelope has version ${version}, and only versions up to ${SESSION_ENVELOPE_VERSION} are known here`,
    {
      code: 'ENVELOPE_VERSION_UNKNOWN',
      hint: 'deploy a newer version of mqferry and redrive the message',
    },
  );
}

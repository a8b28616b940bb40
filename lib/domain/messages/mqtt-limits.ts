import {
  type BridgeError,
  InvalidMessageError,
  InvalidTopicError,
  PayloadTooLargeError,
} from '../errors/errors.ts';
import { utf8Length } from '../text.ts';
import { checkTopicName } from '../topics/topic-name.ts';
import type { OutgoingMqttMessage } from './message.ts';

/** Bytes of a UTF-8 string or of binary data in a packet, whose length is a Two Byte Integer [MQTT5 1.5.4, 1.5.6]. */
const MAX_FIELD_BYTES = 65_535;
/** Four Byte Integer [MQTT5 1.5.3]. */
const MAX_EXPIRY_SECONDS = 0xffff_ffff;

/**
 * What MQTT 5 asks of any message to be published: topic name, texts without U+0000 and lone surrogates, lengths. Undefined
 * when the message is right. The errors never quote a value.
 *
 * Codes: `TOPIC_INVALID`, `PROPERTY_INVALID`, `PROPERTIES_TOO_LARGE`.
 */
export function checkOutgoingMqttMessage(message: OutgoingMqttMessage): BridgeError | undefined {
  return topicError(message.topicName, 'topic name') ?? propertiesError(message);
}

function topicError(topicName: string, what: string): BridgeError | undefined {
  const violation = checkTopicName(topicName);
  return violation && new InvalidTopicError(`the ${what} is refused: ${violation.message}`);
}

function propertiesError(message: OutgoingMqttMessage): BridgeError | undefined {
  const { contentType, responseTopic, correlationData, expirySeconds, userProperties } = message;
  if (responseTopic !== undefined && checkTopicName(responseTopic) !== undefined) {
    return invalid('the response topic is no topic name [MQTT-3.3.2-14]');
  }
  if (expirySeconds !== undefined && !isUnsigned(expirySeconds)) {
    return invalid('the message expiry interval is no whole number of seconds below 2^32');
  }
  if (correlationData !== undefined && correlationData.length > MAX_FIELD_BYTES) return tooLong();
  const error = contentType === undefined ? undefined : textError(contentType);
  if (error !== undefined) return error;
  for (const [name, value] of userProperties) {
    const fault = textError(name) ?? textError(value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function textError(text: string): BridgeError | undefined {
  if (text.includes('\u0000') || !text.isWellFormed()) {
    return invalid('a property holds U+0000 or a lone surrogate [MQTT-1.5.4-1, MQTT-1.5.4-2]');
  }
  // No text of so few units has more bytes.
  if (text.length * 3 <= MAX_FIELD_BYTES || utf8Length(text) <= MAX_FIELD_BYTES) return undefined;
  return tooLong();
}

function isUnsigned(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_EXPIRY_SECONDS;
}

function invalid(fault: string): BridgeError {
  return new InvalidMessageError(`publishing: ${fault}`, { code: 'PROPERTY_INVALID' });
}

function tooLong(): BridgeError {
  return new PayloadTooLargeError(`publishing: a property exceeds ${MAX_FIELD_BYTES} bytes`, {
    code: 'PROPERTIES_TOO_LARGE',
  });
}

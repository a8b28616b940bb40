import type { Violation } from '../errors/violation.ts';
import { utf8Length } from '../text.ts';

/** [MQTT-4.7.3-3] */
export const MAX_TOPIC_BYTES = 65_535;
/** AWS IoT Core: bytes of a topic name or filter. */
export const MAX_AWS_IOT_TOPIC_BYTES = 256;
/** AWS IoT Core: topic level separators of a topic name or filter. */
export const MAX_AWS_IOT_TOPIC_SLASHES = 7;

/** Checks a topic name to publish to, by MQTT 5 §4.7. Code `TOPIC_NAME_INVALID`. */
export function checkTopicName(topicName: string): Violation | undefined {
  const fault =
    topicTextFault(topicName) ??
    (/[+#]/.test(topicName)
      ? 'must not hold the wildcards "+" and "#", which are for topic filters [MQTT-4.7.0-1]'
      : undefined);
  return fault === undefined
    ? undefined
    : {
        code: 'TOPIC_NAME_INVALID',
        message: `A topic name ${fault}; right is for example stations/4711/status.`,
      };
}

/**
 * Checks a topic name to publish to on AWS IoT Core: MQTT's rules, at most 256 bytes, at most 7 slashes. Codes
 * `TOPIC_NAME_INVALID` and `TOPIC_NAME_NOT_ON_AWS_IOT`.
 */
export function checkAwsIotTopicName(topicName: string): Violation | undefined {
  const violation = checkTopicName(topicName);
  if (violation !== undefined) return violation;
  const fault = awsIotSizeFault(topicName);
  return fault === undefined
    ? undefined
    : { code: 'TOPIC_NAME_NOT_ON_AWS_IOT', message: `A topic name ${fault} on AWS IoT Core.` };
}

/** What topic names and topic filters have in common in MQTT; continues a sentence that begins with *A topic …*. */
export function topicTextFault(text: string): string | undefined {
  if (text === '') return 'must have at least one character [MQTT-4.7.3-1]';
  if (text.includes('\u0000')) return 'must not hold U+0000 [MQTT-4.7.3-2]';
  if (!text.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates [MQTT-1.5.4-1]';
  const bytes = utf8Length(text);
  if (bytes > MAX_TOPIC_BYTES) {
    return `must not exceed ${MAX_TOPIC_BYTES} bytes of UTF-8 [MQTT-4.7.3-3], and this one has ${bytes}`;
  }
  return undefined;
}

/** The size limits of AWS IoT Core (its quotas *topic size* and *maximum slashes in topic and topic filter*). */
export function awsIotSizeFault(text: string): string | undefined {
  const bytes = utf8Length(text);
  if (bytes > MAX_AWS_IOT_TOPIC_BYTES) {
    return `must not exceed ${MAX_AWS_IOT_TOPIC_BYTES} bytes of UTF-8, and this one has ${bytes},`;
  }
  const slashes = text.split('/').length - 1;
  if (slashes > MAX_AWS_IOT_TOPIC_SLASHES) {
    return `must not have more than ${MAX_AWS_IOT_TOPIC_SLASHES} slashes, and this one has ${slashes},`;
  }
  return undefined;
}

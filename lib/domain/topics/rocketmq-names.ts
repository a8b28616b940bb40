import { createHash } from 'node:crypto';
import type { Violation } from '../errors/violation.ts';
import { utf8Length } from '../text.ts';

/** RocketMQ 5.4.0, `Validators.TOPIC_MAX_LENGTH` and `GROUP_MAX_LENGTH`. */
export const MAX_TOPIC_LENGTH = 127;
export const MAX_GROUP_LENGTH = 120;
/** Bytes of UTF-8; the proxy refuses 64 already (`SendMessageActivity.validateMessageGroup`). */
export const MAX_MESSAGE_GROUP_BYTES = 63;

const LEGAL_NAME = /^[%|a-zA-Z0-9_-]+$/;
const RESERVED_PREFIXES = ['%RETRY%', '%DLQ%'];
/** `TopicValidator.getSystemTopicSet()` of RocketMQ 5.4.0; beside them everything that begins with `rmq_sys_`. */
const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  'BenchmarkTest',
  'CHECKPOINT_TOPIC',
  'OFFSET_MOVED_EVENT',
  'RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC',
  'RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC',
  'RMQ_SYS_TRACE_TOPIC',
  'RMQ_SYS_TRANS_HALF_TOPIC',
  'RMQ_SYS_TRANS_OP_HALF_TOPIC',
  'SCHEDULE_TOPIC_XXXX',
  'SELF_TEST_TOPIC',
  'TBW102',
  'TRANS_CHECK_MAX_TIME_TOPIC',
]);

/** `MixAll.isPredefinedGroup` of RocketMQ 5.4.0; beside them everything that begins with `CID_RMQ_SYS_`. */
const SYSTEM_GROUPS: ReadonlySet<string> = new Set([
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_OWNER',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_PULL',
  'CLIENT_INNER_PRODUCER',
  'DEFAULT_CONSUMER',
  'DEFAULT_PRODUCER',
  'FILTERSRV_CONSUMER',
  'SCHEDULE_CONSUMER',
  'SELF_TEST_C_GROUP',
  'SELF_TEST_P_GROUP',
  'TOOLS_CONSUMER',
  '__MONITOR_CONSUMER',
]);

/** Checks a RocketMQ topic of a user. Code `ROCKETMQ_TOPIC_INVALID`. */
export function checkRocketmqTopic(rocketmqTopic: string): Violation | undefined {
  const fault =
    nameFault(rocketmqTopic, MAX_TOPIC_LENGTH) ??
    (SYSTEM_TOPICS.has(rocketmqTopic) || rocketmqTopic.startsWith('rmq_sys_')
      ? 'must not be one of the system topics (TBW102, SCHEDULE_TOPIC_XXXX, rmq_sys_… and so on)'
      : undefined);
  return fault === undefined
    ? undefined
    : {
        code: 'ROCKETMQ_TOPIC_INVALID',
        message: `A RocketMQ topic ${fault}; right is for example charger_status.`,
      };
}

/** Checks a consumer group of a user. Code `ROCKETMQ_GROUP_INVALID`. */
export function checkConsumerGroup(consumerGroup: string): Violation | undefined {
  const fault =
    nameFault(consumerGroup, MAX_GROUP_LENGTH) ??
    (SYSTEM_GROUPS.has(consumerGroup) || consumerGroup.startsWith('CID_RMQ_SYS_')
      ? 'must not be one of the system groups (DEFAULT_CONSUMER, TOOLS_CONSUMER, CID_RMQ_SYS_… and so on)'
      : undefined);
  return fault === undefined
    ? undefined
    : { code: 'ROCKETMQ_GROUP_INVALID', message: `A consumer group ${fault}; right is for example billing.` };
}

/**
 * Makes a text a tag: `|`, which separates tags in filter expressions, and control characters are percent-encoded, and so
 * is the white space of a tag that has nothing else. Undefined for the empty text, which is no tag.
 */
export function toTag(text: string): string | undefined {
  if (text === '') return undefined;
  if (isPlainWord(text)) return text;
  const escaped = text.replace(/[|\p{Cc}]/gu, percentEncode);
  return isBlank(escaped) ? escaped.replace(/\s/g, percentEncode) : escaped;
}

/**
 * Makes a text a key: white space, at which RocketMQ would split it, and control characters are percent-encoded.
 * Undefined for the empty text, which RocketMQ would lose.
 */
export function toKey(text: string): string | undefined {
  if (text === '') return undefined;
  return isPlainWord(text) ? text : text.replace(/[\s\p{Cc}]/gu, percentEncode);
}

/**
 * Makes a text a message group: control characters are percent-encoded, and so is the white space of a group that has
 * nothing else; what then has 64 bytes or more becomes the SHA-256 of the text, in base64url. Equal texts make equal
 * groups, so order is kept. Undefined for the empty text.
 */
export function toMessageGroup(text: string): string | undefined {
  if (text === '') return undefined;
  const escaped = text.replace(/\p{Cc}/gu, percentEncode);
  const group = isBlank(escaped) ? escaped.replace(/\s/g, percentEncode) : escaped;
  return utf8Length(group) <= MAX_MESSAGE_GROUP_BYTES
    ? group
    : createHash('sha256').update(text, 'utf8').digest('base64url');
}

function nameFault(name: string, maxLength: number): string | undefined {
  if (!LEGAL_NAME.test(name)) {
    return `must have 1 to ${maxLength} characters, of A-Z, a-z, 0-9, "_", "-", "%" and "|"`;
  }
  if (name.length > maxLength) {
    return `must not exceed ${maxLength} characters, and this one has ${name.length}`;
  }
  const prefix = RESERVED_PREFIXES.find((candidate) => name.startsWith(candidate));
  return prefix === undefined ? undefined : `must not begin with ${prefix}, which RocketMQ uses itself`;
}

/** Visible ASCII without `|`: nothing of it is ever escaped, and nearly every tag and key is so. */
function isPlainWord(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit <= 0x20 || unit >= 0x7f || unit === 0x7c) return false;
  }
  return true;
}

function isBlank(text: string): boolean {
  return /^\s*$/.test(text);
}

/** Percent-encodes the UTF-8 bytes of one character. */
function percentEncode(character: string): string {
  return encodeURIComponent(character);
}

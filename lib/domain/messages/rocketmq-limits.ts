import {
  type BridgeError,
  InvalidMessageError,
  InvalidTopicError,
  PayloadTooLargeError,
} from '../errors/errors.ts';
import { carriedBytes, isCarried, NOT_CARRIED, utf8Length } from '../text.ts';
import { checkRocketmqTopic, MAX_MESSAGE_GROUP_BYTES } from '../topics/rocketmq-names.ts';
import type { RocketmqMessage } from './message.ts';

/** What a broker takes in one request, encoded (`maxMessageSize`): 4 MiB. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/**
 * The proxy takes 4 MiB. A gRPC client cannot receive more than 4 MiB per response, properties and framing included, so a
 * body stays 64 KiB below, or nobody could read it back.
 */
export const MAX_BODY_BYTES = MAX_BATCH_BYTES - 64 * 1024;
/** `ProxyConfig.userPropertyMaxNum`. */
export const MAX_PROPERTIES = 128;
/** Names, values, tag and keys together; `ProxyConfig.maxUserPropertySize` is 16 KiB, which was seen refused. */
export const MAX_PROPERTY_BYTES = 16 * 1024 - 1;

/** `MessageConst.STRING_HASH_SET` of RocketMQ 5.4.0: names that the proxy refuses. */
const SYSTEM_NAMES =
  '1ST_POP_TIME ARRIVE_TIME BORN_TIMESTAMP BUYER_ID CLUSTER CONSUME_START_TIME CORRECTION_FLAG CORRELATION_ID DELAY ' +
  'DLQ_ORIGIN_MESSAGE_ID DLQ_ORIGIN_TOPIC DUP_INFO EXTEND_UNIQ_INFO INNER_MULTI_QUEUE_OFFSET INSTANCE_ID KEYS MAX_OFFSET ' +
  'MAX_RECONSUME_TIMES MIN_OFFSET MQ2_FLAG MSG_REGION MSG_TYPE ORIGIN_GROUP ORIGIN_MESSAGE_ID PGROUP POP_CK ' +
  'POP_CK_OFFSET PUSH_REPLY_TIME REAL_QID REAL_TOPIC RECONSUME_TIME REPLY_TO_CLIENT RETRY_TOPIC TAGS TIMER_DELAY_LEVEL ' +
  'TIMER_DELAY_MS TIMER_DELAY_SEC TIMER_DELIVER_MS TIMER_DEL_UNIQKEY TIMER_DEQUEUE_MS TIMER_ENQUEUE_MS TIMER_OUT_MS ' +
  'TIMER_ROLL_TIMES TRACE_ON TRANSFER_FLAG TRAN_MSG TRAN_PREPARED_QUEUE_OFFSET TTL UNIQ_KEY WAIT _SYS_MSG_PRIORITY_ ' +
  '__BORNHOST __CRC32#';
/**
 * The other names of `MessageConst` 5.4.0. The proxy lets them pass, and then broker or client take them for their own:
 * `__SHARDINGKEY` and `INNER_NUM` break a single send and slip into a batch.
 */
const INTERNAL_NAMES =
  'CHECK_IMMUNITY_TIME_IN_SECONDS E_T INNER_BASE INNER_MULTI_DISPATCH INNER_NUM PROPERTY_FORWARD_QUEUE_ID REDIRECT ' +
  'TIMER_ROLL_LABEL TRACE_CONTEXT TRANSACTION_CHECK_TIMES TRANS_OFFSET __RMQ.TRANSIENT.GROUP_SYS_FLAG ' +
  '__RMQ.TRANSIENT.TOPIC_SYS_FLAG __SHARDINGKEY __transactionId__';

/** Property names that RocketMQ 5.4 uses itself, and that a user's property must therefore not have. */
export const RESERVED_PROPERTY_NAMES: ReadonlySet<string> = new Set(
  `${SYSTEM_NAMES} ${INTERNAL_NAMES}`.split(' '),
);

/**
 * Bytes that a message takes in a batch beside its body and its own properties: six fields of the encoding, and an upper
 * bound of what client and proxy add (UNIQ_KEY, RECONSUME_TIME, PGROUP, BORN_TIMESTAMP, __BORNHOST with a host name of
 * at most 253 characters, an empty TAGS, WAIT).
 */
const BATCH_FIELDS_BYTES = 22;
const ADDED_PROPERTIES_BYTES = 400;
const MAX_KNOWN_NAMES = 2_000;
const MAX_KNOWN_NAME_LENGTH = 64;
const knownNames = new Map<string, number>();
/** Name, value, and the separators U+0001 and U+0002 around the value. */
const SEPARATOR_BYTES = 2;

/**
 * Our own copy of what RocketMQ's proxy and broker ask of one message, so that one bad message cannot make a whole
 * request fail: body, topic, tag, keys, message group, properties. Also refuses what RocketMQ would accept and lose
 * (empty names and values, `__proto__`). Undefined when the message is right. The errors never quote a value.
 *
 * Codes: `TOPIC_INVALID`, `BODY_EMPTY`, `BODY_TOO_LARGE`, `PROPERTIES_TOO_LARGE`, `PROPERTY_INVALID`, `TAG_INVALID`,
 * `KEY_INVALID`, `MESSAGE_GROUP_INVALID`.
 */
export function checkRocketmqMessage(message: RocketmqMessage): BridgeError | undefined {
  const measured = measureRocketmqMessage(message);
  return typeof measured === 'number' ? undefined : measured;
}

/**
 * The same check, which answers the bytes of names, values, tag and keys when the message is right: it has counted them
 * anyway.
 */
export function measureRocketmqMessage(message: RocketmqMessage): number | BridgeError {
  return (
    topicError(message) ??
    bodyError(message) ??
    tagError(message) ??
    keysError(message) ??
    groupError(message) ??
    measureProperties(message)
  );
}

/**
 * Upper bound of the bytes of a message within the encoded batch that a broker measures against `MAX_BATCH_BYTES`
 * (`MessageDecoder.encodeMessage`): body, properties with separators, and 22 bytes of fields.
 */
export function encodedBatchBytes(message: RocketmqMessage): number {
  let propertyBytes = utf8Length(message.tag ?? '');
  for (const key of message.keys) propertyBytes += utf8Length(key);
  for (const [name, value] of message.properties) propertyBytes += utf8Length(name) + utf8Length(value);
  return encodedBytesWith(message, propertyBytes);
}

/** The same, where the bytes of names, values, tag and keys are known. */
export function encodedBytesWith(message: RocketmqMessage, propertyBytes: number): number {
  const { rocketmqTopic, body, tag, keys, messageGroup, properties } = message;
  let bytes =
    BATCH_FIELDS_BYTES + ADDED_PROPERTIES_BYTES + body.length + utf8Length(rocketmqTopic) + propertyBytes;
  bytes += properties.size * SEPARATOR_BYTES + keys.length;
  if (keys.length > 0) bytes += 'KEYS'.length + SEPARATOR_BYTES;
  if (tag !== undefined) bytes += 'TAGS'.length + SEPARATOR_BYTES;
  if (messageGroup !== undefined) {
    bytes += '__SHARDINGKEY'.length + utf8Length(messageGroup) + SEPARATOR_BYTES;
  }
  return bytes;
}

function topicError(message: RocketmqMessage): BridgeError | undefined {
  const violation = checkRocketmqTopic(message.rocketmqTopic);
  return violation && new InvalidTopicError(violation.message);
}

function bodyError({ body }: RocketmqMessage): BridgeError | undefined {
  if (body.length === 0) return new InvalidMessageError('the body is empty', { code: 'BODY_EMPTY' });
  if (body.length <= MAX_BODY_BYTES) return undefined;
  return new PayloadTooLargeError(
    `the body has ${body.length} bytes, and at most ${MAX_BODY_BYTES} can be carried`,
    {
      code: 'BODY_TOO_LARGE',
    },
  );
}

function tagError({ tag }: RocketmqMessage): BridgeError | undefined {
  if (tag === undefined || (isUsable(tag) && !tag.includes('|'))) return undefined;
  return new InvalidMessageError('the tag is blank, or holds "|" or a control character', {
    code: 'TAG_INVALID',
  });
}

function keysError({ keys }: RocketmqMessage): BridgeError | undefined {
  for (const key of keys) {
    if (isUsable(key) && !key.includes(' ')) continue;
    return new InvalidMessageError('a key is blank, or holds a space or a control character', {
      code: 'KEY_INVALID',
    });
  }
  return undefined;
}

function groupError({ messageGroup }: RocketmqMessage): BridgeError | undefined {
  if (messageGroup === undefined) return undefined;
  if (isUsable(messageGroup) && utf8Length(messageGroup) <= MAX_MESSAGE_GROUP_BYTES) return undefined;
  return new InvalidMessageError(
    `the message group is blank, has more than ${MAX_MESSAGE_GROUP_BYTES} bytes, or holds a control character`,
    { code: 'MESSAGE_GROUP_INVALID' },
  );
}

function measureProperties({ tag = '', keys, properties }: RocketmqMessage): number | BridgeError {
  let bytes = utf8Length(tag);
  for (const key of keys) bytes += utf8Length(key);
  for (const [name, value] of properties) {
    const nameBytes = bytesOfName(name);
    const valueBytes = carriedBytes(value);
    const fault =
      nameBytes > 0 && valueBytes > 0 ? undefined : (nameFault(name) ?? bytesFault(nameBytes, valueBytes));
    if (fault !== undefined) {
      return new InvalidMessageError(`the property ${JSON.stringify(name.slice(0, 128))} ${fault}`, {
        code: 'PROPERTY_INVALID',
      });
    }
    bytes += nameBytes + valueBytes;
  }
  if (properties.size <= MAX_PROPERTIES && bytes <= MAX_PROPERTY_BYTES) return bytes;
  return new PayloadTooLargeError(
    `the message has ${properties.size} properties with ${bytes} bytes, tag and keys included; ` +
      `RocketMQ takes ${MAX_PROPERTIES} and ${MAX_PROPERTY_BYTES}`,
    { code: 'PROPERTIES_TOO_LARGE' },
  );
}

/** `carriedBytes`, and 0 for a name that no property may have; asked again and again for the same names. */
function bytesOfName(name: string): number {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const bytes = nameFault(name) === undefined ? carriedBytes(name) : 0;
  if (knownNames.size >= MAX_KNOWN_NAMES) knownNames.clear();
  // A foreign name may be long; those are few.
  if (name.length <= MAX_KNOWN_NAME_LENGTH) knownNames.set(name, bytes);
  return bytes;
}

function nameFault(name: string): string | undefined {
  if (RESERVED_PROPERTY_NAMES.has(name)) return 'has a name that RocketMQ uses itself';
  return name === '__proto__' ? 'would be lost: its name means something else to the client' : undefined;
}

function bytesFault(nameBytes: number, valueBytes: number): string | undefined {
  if (nameBytes === 0 || valueBytes === 0)
    return 'would be lost: RocketMQ drops empty names and empty values';
  return nameBytes === NOT_CARRIED || valueBytes === NOT_CARRIED
    ? 'holds a control character or a lone surrogate'
    : undefined;
}

/** True for a text that is not blank and that RocketMQ can carry. */
function isUsable(text: string): boolean {
  return text.trim() !== '' && isCarried(text);
}

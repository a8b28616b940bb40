import {
  type BridgeError,
  type BridgeErrorOptions,
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  InvalidMessageError,
  InvalidTopicError,
  PayloadTooLargeError,
} from './errors.ts';

interface RowCommon {
  /** As the protocol numbers or names it. */
  status: number | string;
  /** The row counts only when the answer's text matches: some statuses mean several things. */
  text?: RegExp;
  /** Stable code of the error this becomes. */
  code: string;
  /** What it means, in a clause that follows "RocketMQ answered 40402: " or "the MQTT broker answered 0x87: ". */
  meaning: string;
  /** One sentence for the user: what would be right. */
  hint?: string;
  /** The request may have taken effect in spite of this answer. */
  maybeStored?: boolean;
}

/** One status and the reaction to it. The first row that fits counts, so rows with a text come first. */
export type ErrorRow = RowCommon &
  (
    | { leaf: 'invalid-message' | 'invalid-topic' | 'too-large' | 'unavailable' }
    | { leaf: 'throttled'; waitMs: number }
    | { leaf: 'hold'; scope: 'topic' | 'cluster' }
  );

// What several statuses lead to. Exported: what is the same whatever the target is.
/** Nothing has taken effect, and something is wrong between the cluster and us that may pass. */
const FAULT = { leaf: 'unavailable', code: 'TARGET_ERROR' } as const;
const invalid = (code: string) => ({ leaf: 'invalid-message', code }) as const;
const tooLarge = (code: string) => ({ leaf: 'too-large', code }) as const;
/** It may have taken effect all the same. */
export const maybe = (code: string) => ({ leaf: 'unavailable', code, maybeStored: true }) as const;
export const UNREACHABLE = { leaf: 'unavailable', code: 'TARGET_UNREACHABLE' } as const;
export const THROTTLED = { leaf: 'throttled', waitMs: 1_000, code: 'TARGET_THROTTLED' } as const;
const ENDPOINT_INVALID = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'ENDPOINT_INVALID',
  hint: 'The endpoint must be the gRPC port of a RocketMQ 5 proxy (usually 8081, on clouds 8080).',
} as const;
const CREDENTIALS_REFUSED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CREDENTIALS_REFUSED',
  hint: 'Check accessKey and secretKey in the secret of this cluster.',
} as const;
const ACCOUNT_SUSPENDED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'ACCOUNT_SUSPENDED',
  hint: 'Settle the account of the RocketMQ service.',
} as const;
const ACCESS_DENIED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'ACCESS_DENIED',
  hint: 'Allow the user of this cluster what the task does with the topic (Pub or Sub) and its consumer group (Sub).',
} as const;
const TOPIC_NOT_FOUND = {
  leaf: 'hold',
  scope: 'topic',
  code: 'TOPIC_NOT_FOUND',
  hint: 'Create the topic on the cluster, or correct its name in the task.',
} as const;
/** What our own rules take, a cluster may refuse: a fixed topic is the task's trouble, and no message's. */
const TOPIC_REFUSED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'TOPIC_REFUSED',
  hint: 'The cluster takes no topic of this name: correct it in the task.',
} as const;
const CONSUMER_GROUP_NOT_FOUND = {
  leaf: 'hold',
  scope: 'topic',
  code: 'CONSUMER_GROUP_NOT_FOUND',
  hint: 'Create the consumer group on the cluster, for a FIFO topic an orderly one, or correct its name in the task.',
} as const;
const CONSUMER_GROUP_INVALID = {
  leaf: 'hold',
  scope: 'topic',
  code: 'CONSUMER_GROUP_INVALID',
  hint: 'A consumer group has 1 to 120 of a-z, A-Z, 0-9, "%", "|", "_" and "-".',
} as const;
const FILTER_INVALID = {
  leaf: 'hold',
  scope: 'topic',
  code: 'FILTER_INVALID',
  hint: 'Correct the filter expression of the task; SQL92 must be switched on at the broker (enablePropertyFilter).',
} as const;
const CONSUMER_SETTINGS_INVALID = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CONSUMER_SETTINGS_INVALID',
  hint: 'The proxy of this cluster has other limits for invisible and polling times than usual: report it.',
} as const;
const TOPIC_TYPE_CHANGED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'TOPIC_TYPE_CHANGED',
  hint: 'Register the topic with the type that the cluster has now, and edit the task: FIFO needs a message group, NORMAL refuses one, other types are not for sending.',
} as const;
const TARGET_UNSUPPORTED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'TARGET_UNSUPPORTED',
  hint: 'The cluster does not offer what was asked; it must be a RocketMQ of version 5.',
} as const;
export const TLS_UNTRUSTED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'TLS_UNTRUSTED',
  hint: 'Put the CA (PEM) into the secret as "ca" or into the bundle of the deployment, and use a covered name.',
} as const;
const TLS_MISMATCH = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'TLS_MISMATCH',
  hint: 'Set "tls" of the cluster as the endpoint has it.',
} as const;

/**
 * Statuses of `apache.rocketmq.v2.Code` as they answer a route query, a send or a receive. 50001 is the proxy's catch-all: only
 * its text tells an outage from a message that no number of tries can help.
 */
export const ROCKETMQ_STATUSES: readonly ErrorRow[] = [
  { status: 40000, meaning: 'bad request', ...invalid('MESSAGE_INVALID') },
  { status: 40001, meaning: 'illegal access point', ...ENDPOINT_INVALID },
  { status: 40002, meaning: 'illegal topic name', ...TOPIC_REFUSED },
  { status: 40003, meaning: 'illegal consumer group', ...CONSUMER_GROUP_INVALID },
  { status: 40004, meaning: 'illegal tag', ...invalid('TAG_INVALID') },
  { status: 40005, meaning: 'illegal key', ...invalid('KEY_INVALID') },
  { status: 40006, meaning: 'illegal message group', ...invalid('MESSAGE_GROUP_INVALID') },
  { status: 40007, meaning: 'illegal property name or value', ...invalid('PROPERTY_INVALID') },
  { status: 40008, meaning: 'illegal transaction id', ...FAULT },
  { status: 40009, meaning: 'illegal message id', ...invalid('MESSAGE_INVALID') },
  { status: 40010, meaning: 'illegal filter expression', ...FILTER_INVALID },
  { status: 40011, meaning: 'illegal invisible time', ...CONSUMER_SETTINGS_INVALID },
  { status: 40012, meaning: 'illegal delivery time', ...invalid('MESSAGE_INVALID') },
  { status: 40014, meaning: 'the message type is not the one of the topic', ...TOPIC_TYPE_CHANGED },
  { status: 40015, meaning: 'unknown type of client', ...CONSUMER_SETTINGS_INVALID },
  { status: 40016, meaning: 'corrupted message', ...invalid('MESSAGE_INVALID') },
  { status: 40018, meaning: 'illegal polling time', ...CONSUMER_SETTINGS_INVALID },
  { status: 40017, meaning: 'no client id', ...FAULT },
  { status: 40019, meaning: 'illegal offset', ...FAULT },
  { status: 40020, meaning: 'illegal lite topic', ...FAULT },
  // ACL 2.0 answers 40100 for a known user without the right as well.
  { status: 40100, text: /has no permission/i, meaning: 'not allowed', ...ACCESS_DENIED },
  { status: 40100, meaning: 'not authenticated', ...CREDENTIALS_REFUSED },
  { status: 40200, meaning: 'the account is suspended', ...ACCOUNT_SUSPENDED },
  { status: 40300, meaning: 'not allowed', ...ACCESS_DENIED },
  { status: 40400, meaning: 'not found', ...TOPIC_NOT_FOUND },
  { status: 40402, meaning: 'the topic does not exist', ...TOPIC_NOT_FOUND },
  { status: 40403, meaning: 'the consumer group does not exist', ...CONSUMER_GROUP_NOT_FOUND },
  { status: 40404, meaning: 'the offset does not exist', ...FAULT },
  { status: 40800, meaning: 'request timeout', ...maybe('TARGET_TIMEOUT') },
  { status: 41300, meaning: 'the request is too large', ...tooLarge('PAYLOAD_TOO_LARGE') },
  { status: 41301, meaning: 'the body is too large', ...tooLarge('BODY_TOO_LARGE') },
  { status: 41302, meaning: 'the body is empty', ...invalid('BODY_EMPTY') },
  { status: 42800, meaning: 'a precondition failed', ...FAULT },
  { status: 42900, meaning: 'too many requests', ...THROTTLED },
  { status: 42901, meaning: 'too many lite topics', ...THROTTLED },
  { status: 42902, meaning: 'too many lite subscriptions', ...THROTTLED },
  { status: 43100, meaning: 'header fields are too large', ...tooLarge('PROPERTIES_TOO_LARGE') },
  { status: 43101, meaning: 'the properties are too large', ...tooLarge('PROPERTIES_TOO_LARGE') },
  { status: 50000, meaning: 'internal error', ...maybe('TARGET_ERROR') },
  { status: 50001, text: /body size exceeded/i, meaning: 'too large', ...tooLarge('BODY_TOO_LARGE') },
  { status: 50001, text: /message is illegal/i, meaning: 'illegal', ...invalid('MESSAGE_INVALID') },
  { status: 50001, text: /flow control|system busy|broker busy/i, meaning: 'busy', ...THROTTLED },
  { status: 50001, text: /message is forbidden/i, meaning: 'sending is forbidden', ...ACCESS_DENIED },
  { status: 50001, text: /parse the consumer's subscription/i, meaning: 'illegal filter', ...FILTER_INVALID },
  { status: 50001, text: /topic\W.*not exist/i, meaning: 'the topic does not exist', ...TOPIC_NOT_FOUND },
  { status: 50001, meaning: 'internal server error', ...maybe('TARGET_ERROR') },
  { status: 50002, meaning: 'stored, but there is no replica', ...maybe('TARGET_STORED_UNSAFE') },
  { status: 50100, meaning: 'not implemented', ...TARGET_UNSUPPORTED },
  { status: 50400, meaning: 'the proxy got no answer from the broker', ...maybe('TARGET_TIMEOUT') },
  { status: 50401, meaning: 'stored, but not flushed to disk in time', ...maybe('TARGET_STORED_UNSAFE') },
  { status: 50402, meaning: 'stored, but not replicated in time', ...maybe('TARGET_STORED_UNSAFE') },
  { status: 50500, meaning: 'unsupported', ...TARGET_UNSUPPORTED },
  { status: 50501, meaning: 'unsupported in this version', ...TARGET_UNSUPPORTED },
  { status: 50502, meaning: 'verifying FIFO messages is unsupported', ...TARGET_UNSUPPORTED },
  { status: 60000, meaning: 'a consumer failed', ...FAULT },
];

/** Texts of grpc-js for a call that never left this process. */
const NEVER_LEFT =
  /No connection established|Name resolution failed|Channel closed before call started|Waiting for LB pick|waiting for name resolution/i;
/** Texts of OpenSSL and Node about the other side's certificate. */
const CERTIFICATE =
  /self.signed certificate|unable to (verify|get)[a-z ]*(certificate|issuer)|certificate (has expired|is not yet valid)|altnames|CERT_/i;
const NO_TLS = /wrong version number|EPROTO|packet length too long/i;
const LARGER = /larger than max|exceeds maximum size|max message size/i;

/** Statuses of gRPC itself: the call got no answer of RocketMQ. */
export const GRPC_STATUSES: readonly ErrorRow[] = [
  { status: 1, meaning: 'the call was cancelled', ...maybe('TARGET_UNAVAILABLE') },
  { status: 2, meaning: 'unknown error', ...maybe('TARGET_ERROR') },
  { status: 3, text: /\bgroup\b/i, meaning: 'illegal consumer group', ...CONSUMER_GROUP_INVALID },
  { status: 3, meaning: 'illegal settings of a consumer', ...CONSUMER_SETTINGS_INVALID },
  { status: 4, text: NEVER_LEFT, meaning: 'no connection in time', ...UNREACHABLE },
  { status: 4, meaning: 'no answer in time', ...maybe('TARGET_TIMEOUT') },
  { status: 5, meaning: 'not found', ...maybe('TARGET_ERROR') },
  { status: 6, meaning: 'exists already', ...maybe('TARGET_ERROR') },
  { status: 7, meaning: 'permission denied', ...CREDENTIALS_REFUSED },
  { status: 8, text: LARGER, meaning: 'the request is too large', ...tooLarge('PAYLOAD_TOO_LARGE') },
  { status: 8, meaning: 'resource exhausted', ...THROTTLED },
  { status: 9, meaning: 'a precondition failed', ...maybe('TARGET_ERROR') },
  { status: 10, meaning: 'aborted', ...maybe('TARGET_ERROR') },
  { status: 11, meaning: 'out of range', ...maybe('TARGET_ERROR') },
  { status: 12, meaning: 'unimplemented', ...ENDPOINT_INVALID },
  { status: 13, meaning: 'internal transport error', ...maybe('TARGET_ERROR') },
  { status: 14, text: CERTIFICATE, meaning: 'the certificate is not trusted', ...TLS_UNTRUSTED },
  { status: 14, text: NO_TLS, meaning: 'one side speaks TLS, the other does not', ...TLS_MISMATCH },
  { status: 14, text: NEVER_LEFT, meaning: 'no connection', ...UNREACHABLE },
  { status: 14, meaning: 'the connection was lost', ...maybe('TARGET_UNAVAILABLE') },
  { status: 15, meaning: 'data was lost', ...maybe('TARGET_ERROR') },
  { status: 16, meaning: 'not authenticated', ...CREDENTIALS_REFUSED },
];

/** What a status asks for. A status that no row names is retried, under a code that names it. */
export function errorRow(table: readonly ErrorRow[], status: number | string, text: string): ErrorRow {
  const row = table.find((one) => one.status === status && (one.text?.test(text) ?? true));
  return (
    row ?? {
      status,
      leaf: 'unavailable',
      code: `TARGET_STATUS_${status}`,
      meaning: 'a status unknown to this version',
      maybeStored: true,
    }
  );
}

/** The error a row stands for. `message` is a sentence about the data; never a payload, never a secret. */
export function errorOfRow(
  row: ErrorRow,
  message: string,
  options: Pick<BridgeErrorOptions, 'cause' | 'maybeStored'> = {},
): BridgeError {
  const given = { ...options, code: row.code, ...(row.hint === undefined ? {} : { hint: row.hint }) };
  switch (row.leaf) {
    case 'invalid-message':
      return new InvalidMessageError(message, given);
    case 'invalid-topic':
      return new InvalidTopicError(message, given);
    case 'too-large':
      return new PayloadTooLargeError(message, given);
    case 'unavailable':
      return new BrokerUnavailableError(message, given);
    case 'throttled':
      return new BrokerThrottledError(message, { ...given, waitMs: row.waitMs });
    case 'hold':
      return new BrokerHoldError(message, { ...given, scope: row.scope });
  }
}

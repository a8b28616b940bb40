import { type ErrorRow, THROTTLED, TLS_UNTRUSTED, UNREACHABLE } from './error-table.ts';

// What several reason codes lead to.
const UNAVAILABLE = { leaf: 'unavailable', code: 'TARGET_UNAVAILABLE' } as const;
const FAULT = { leaf: 'unavailable', code: 'TARGET_ERROR' } as const;
const TOO_LARGE = { leaf: 'too-large', code: 'PAYLOAD_TOO_LARGE' } as const;
const TOPIC_INVALID = { leaf: 'invalid-topic', code: 'TOPIC_INVALID' } as const;
const PAYLOAD_FORMAT = { leaf: 'invalid-message', code: 'PAYLOAD_FORMAT_INVALID' } as const;

const CREDENTIALS_REFUSED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CREDENTIALS_REFUSED',
  hint: 'Check username and password, or cert and key, in the secret of this cluster.',
} as const;
const CLIENT_ID_TAKEN = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CLIENT_ID_TAKEN',
  hint: 'Another client uses the client identifier of this task: stop it.',
} as const;
const CLIENT_ID_REFUSED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CLIENT_ID_REFUSED',
  hint: 'Let the broker accept client identifiers that begin with the prefix of this stack.',
} as const;
const CLIENT_BANNED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CLIENT_BANNED',
  hint: 'Lift the ban of this user, client identifier or address on the broker.',
} as const;
const PUBLISH_DENIED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'ACCESS_DENIED',
  hint: 'Allow the user of this cluster to publish to the topic.',
} as const;
const SUBSCRIBE_DENIED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'ACCESS_DENIED',
  hint: 'Allow the user of this cluster to subscribe to the topic filter.',
} as const;
const PUBLISH_REFUSED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'PUBLISH_REFUSED',
  hint: "The broker does not say why: look into its log, and at its rules for the topic and for the message's content.",
} as const;
const SUBSCRIBE_REFUSED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'SUBSCRIBE_REFUSED',
  hint: 'Look into the log of the broker: it may limit topic filters in number, depth or form.',
} as const;
const UNSUPPORTED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'TARGET_UNSUPPORTED',
  hint: 'The broker must speak MQTT 3.1.1 or 5 and offer what the task needs.',
} as const;
const RETAIN_UNSUPPORTED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'RETAIN_UNSUPPORTED',
  hint: 'The broker keeps no retained messages: set "retain" of the task to drop, or allow them there.',
} as const;
const MOVED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'TARGET_MOVED',
  hint: 'Set "url" of the cluster to the address that the broker has now.',
} as const;
const HOST_UNKNOWN = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'HOST_UNKNOWN',
  hint: 'Correct the host in "url" of the cluster; in a VPC, check its name resolution.',
} as const;
const TLS_MISMATCH = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'TLS_MISMATCH',
  hint: 'Use mqtts:// or wss:// exactly where the port of the broker speaks TLS.',
} as const;
const ENDPOINT_INVALID = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'ENDPOINT_INVALID',
  hint: 'The path in "url" must be the one at which the broker takes websockets, often /mqtt.',
} as const;

/** Reason codes of a CONNACK of MQTT 5 (§3.2.2.2) beyond 0. */
export const MQTT_CONNACK_CODES: readonly ErrorRow[] = [
  { status: 0x80, meaning: 'unspecified error', ...FAULT },
  { status: 0x81, meaning: 'malformed packet', ...UNSUPPORTED },
  { status: 0x82, meaning: 'protocol error', ...UNSUPPORTED },
  { status: 0x83, meaning: 'implementation specific error', ...FAULT },
  { status: 0x84, meaning: 'unsupported protocol version', ...UNSUPPORTED },
  { status: 0x85, meaning: 'the client identifier is not valid', ...CLIENT_ID_REFUSED },
  { status: 0x86, meaning: 'bad user name or password', ...CREDENTIALS_REFUSED },
  { status: 0x87, meaning: 'not authorised to connect', ...CREDENTIALS_REFUSED },
  { status: 0x88, meaning: 'server unavailable', ...UNAVAILABLE },
  { status: 0x89, meaning: 'server busy', ...UNAVAILABLE },
  { status: 0x8a, meaning: 'banned', ...CLIENT_BANNED },
  { status: 0x8c, meaning: 'bad authentication method', ...UNSUPPORTED },
  // Of a will, which no task has.
  { status: 0x90, meaning: 'topic name of the will invalid', ...UNSUPPORTED },
  { status: 0x95, meaning: 'the CONNECT packet is too large', ...UNSUPPORTED },
  { status: 0x97, meaning: 'quota exceeded', ...THROTTLED },
  { status: 0x99, meaning: 'the will is not of the format it claims', ...UNSUPPORTED },
  { status: 0x9a, meaning: 'a retained will is not supported', ...UNSUPPORTED },
  { status: 0x9b, meaning: 'the QoS of the will is not supported', ...UNSUPPORTED },
  { status: 0x9c, meaning: 'use another server', ...MOVED },
  { status: 0x9d, meaning: 'server moved', ...MOVED },
  { status: 0x9f, meaning: 'connection rate exceeded', ...THROTTLED },
];

/** Return codes of a CONNACK of MQTT 3.1.1 (§3.2.2.3) beyond 0. */
export const MQTT_311_CONNACK_CODES: readonly ErrorRow[] = [
  { status: 1, meaning: 'unacceptable protocol version', ...UNSUPPORTED },
  { status: 2, meaning: 'the client identifier is rejected', ...CLIENT_ID_REFUSED },
  { status: 3, meaning: 'server unavailable', ...UNAVAILABLE },
  { status: 4, meaning: 'bad user name or password', ...CREDENTIALS_REFUSED },
  { status: 5, meaning: 'not authorised to connect', ...CREDENTIALS_REFUSED },
];

/**
 * Reason codes of PUBACK, PUBREC and PUBCOMP (MQTT 5 §3.4.2.1) beyond 0 and 0x10, which both say that it was taken. 0x80 and
 * 0x83 hide their cause: it may be the topic or the message, so they are treated as a refused topic is. Where others pass,
 * this one becomes a dead letter if its topic was rendered; where none passes, nothing is given up.
 */
export const MQTT_PUBLISH_CODES: readonly ErrorRow[] = [
  { status: 0x80, meaning: 'unspecified error', ...PUBLISH_REFUSED },
  { status: 0x83, meaning: 'implementation specific error', ...PUBLISH_REFUSED },
  { status: 0x87, meaning: 'not authorised to publish', ...PUBLISH_DENIED },
  { status: 0x90, meaning: 'topic name invalid', ...TOPIC_INVALID },
  { status: 0x91, meaning: 'packet identifier in use', ...FAULT },
  { status: 0x92, meaning: 'packet identifier not found', ...FAULT },
  { status: 0x95, meaning: 'the packet is too large', ...TOO_LARGE },
  { status: 0x96, meaning: 'message rate too high', ...THROTTLED },
  { status: 0x97, meaning: 'quota exceeded', ...THROTTLED },
  { status: 0x99, meaning: 'the payload is not of the format it claims', ...PAYLOAD_FORMAT },
];

/** Reason codes of SUBACK and UNSUBACK (MQTT 5 §3.9.3, §3.11.3); 0x80 is also the one failure of MQTT 3.1.1. */
export const MQTT_SUBSCRIBE_CODES: readonly ErrorRow[] = [
  { status: 0x80, meaning: 'the subscription is refused', ...SUBSCRIBE_REFUSED },
  { status: 0x83, meaning: 'implementation specific error', ...SUBSCRIBE_REFUSED },
  { status: 0x87, meaning: 'not authorised to subscribe', ...SUBSCRIBE_DENIED },
  { status: 0x8f, meaning: 'topic filter invalid', ...SUBSCRIBE_REFUSED },
  { status: 0x91, meaning: 'packet identifier in use', ...FAULT },
  { status: 0x97, meaning: 'quota exceeded', ...SUBSCRIBE_REFUSED },
  { status: 0x9e, meaning: 'shared subscriptions not supported', ...UNSUPPORTED },
  { status: 0xa1, meaning: 'subscription identifiers not supported', ...UNSUPPORTED },
  { status: 0xa2, meaning: 'wildcard subscriptions not supported', ...UNSUPPORTED },
];

/** Reason codes of a DISCONNECT by the broker (MQTT 5 §3.14.2.1). */
export const MQTT_DISCONNECT_CODES: readonly ErrorRow[] = [
  { status: 0x00, meaning: 'normal disconnection', ...UNAVAILABLE },
  { status: 0x80, meaning: 'unspecified error', ...UNAVAILABLE },
  { status: 0x81, meaning: 'malformed packet', ...FAULT },
  { status: 0x82, meaning: 'protocol error', ...FAULT },
  { status: 0x83, meaning: 'implementation specific error', ...FAULT },
  { status: 0x87, meaning: 'not authorised', ...PUBLISH_DENIED },
  { status: 0x89, meaning: 'server busy', ...UNAVAILABLE },
  { status: 0x8b, meaning: 'server shutting down', ...UNAVAILABLE },
  { status: 0x8d, meaning: 'keep alive timeout', ...UNAVAILABLE },
  { status: 0x8e, meaning: 'session taken over', ...CLIENT_ID_TAKEN },
  { status: 0x8f, meaning: 'topic filter invalid', ...SUBSCRIBE_REFUSED },
  { status: 0x90, meaning: 'topic name invalid', ...TOPIC_INVALID },
  { status: 0x93, meaning: 'receive maximum exceeded', ...THROTTLED },
  { status: 0x94, meaning: 'topic alias invalid', ...FAULT },
  { status: 0x95, meaning: 'the packet is too large', ...TOO_LARGE },
  { status: 0x96, meaning: 'message rate too high', ...THROTTLED },
  { status: 0x97, meaning: 'quota exceeded', ...THROTTLED },
  { status: 0x98, meaning: 'administrative action', ...UNAVAILABLE },
  { status: 0x99, meaning: 'the payload is not of the format it claims', ...PAYLOAD_FORMAT },
  { status: 0x9a, meaning: 'retain not supported', ...RETAIN_UNSUPPORTED },
  { status: 0x9b, meaning: 'QoS not supported', ...UNSUPPORTED },
  { status: 0x9c, meaning: 'use another server', ...MOVED },
  { status: 0x9d, meaning: 'server moved', ...MOVED },
  { status: 0x9e, meaning: 'shared subscriptions not supported', ...UNSUPPORTED },
  { status: 0x9f, meaning: 'connection rate exceeded', ...THROTTLED },
  { status: 0xa0, meaning: 'maximum connect time', ...UNAVAILABLE },
  { status: 0xa1, meaning: 'subscription identifiers not supported', ...UNSUPPORTED },
  { status: 0xa2, meaning: 'wildcard subscriptions not supported', ...UNSUPPORTED },
];

/** Texts of Node and OpenSSL about the broker's certificate. */
const CERTIFICATE =
  /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_(HAS|NOT|SIGNATURE|UNTRUSTED|REVOKED|REJECTED|CHAIN)|ALTNAME_INVALID|TLS not authorized/;
/** Alerts by which a broker refuses our certificate, or misses one. */
const OUR_CERTIFICATE =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|NO_CERTIFICATE)/;

/**
 * Errors of the connection below MQTT: codes of Node, `TLS` (text: code and message of OpenSSL), `HTTP` (text: the status
 * that answered the upgrade to a websocket).
 */
export const MQTT_CONNECTION_ERRORS: readonly ErrorRow[] = [
  { status: 'ENOTFOUND', meaning: 'the host name is unknown', ...HOST_UNKNOWN },
  { status: 'EAI_AGAIN', meaning: 'the host name cannot be resolved now', ...UNREACHABLE },
  { status: 'ECONNREFUSED', meaning: 'nobody listens on the port', ...UNREACHABLE },
  { status: 'EHOSTUNREACH', meaning: 'the host cannot be reached', ...UNREACHABLE },
  { status: 'ENETUNREACH', meaning: 'the network cannot be reached', ...UNREACHABLE },
  { status: 'ETIMEDOUT', meaning: 'no connection in time', ...UNREACHABLE },
  { status: 'ECONNRESET', meaning: 'the connection was reset', ...UNAVAILABLE },
  { status: 'EPIPE', meaning: 'the connection was closed', ...UNAVAILABLE },
  { status: 'TLS', text: CERTIFICATE, meaning: 'the certificate is not trusted', ...TLS_UNTRUSTED },
  { status: 'TLS', text: OUR_CERTIFICATE, meaning: 'our certificate is refused', ...CREDENTIALS_REFUSED },
  { status: 'TLS', meaning: 'no common TLS', ...TLS_MISMATCH },
  { status: 'HTTP', text: /^(401|403)$/, meaning: 'the websocket is refused', ...CREDENTIALS_REFUSED },
  { status: 'HTTP', text: /^429$/, meaning: 'too many websockets', ...THROTTLED },
  { status: 'HTTP', text: /^5/, meaning: 'no websocket now', ...UNAVAILABLE },
  { status: 'HTTP', meaning: 'no websocket at this address', ...ENDPOINT_INVALID },
];

import { type ErrorRow, errorOfRow, errorRow } from '../../domain/errors/error-table.ts';
import { BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import {
  MQTT_311_CONNACK_CODES,
  MQTT_CONNACK_CODES,
  MQTT_CONNECTION_ERRORS,
  MQTT_DISCONNECT_CODES,
  MQTT_PUBLISH_CODES,
  MQTT_SUBSCRIBE_CODES,
} from '../../domain/errors/mqtt-error-table.ts';
import type { MqttProtocolVersion } from './client-options.ts';

/** Packets in which a broker gives a reason. */
export type AnsweringPacket = 'connack' | 'publish' | 'subscribe' | 'disconnect';

const DOING: Readonly<Record<AnsweringPacket, string>> = {
  connack: 'connecting to the MQTT broker',
  publish: 'publishing to the MQTT broker',
  subscribe: 'subscribing at the MQTT broker',
  disconnect: 'the MQTT broker disconnected us',
};
const UPGRADE_ANSWER = /Unexpected server response: (\d{3})/;

/**
 * The broker answered with a reason other than success.
 *
 * @param code - reason code of MQTT 5, or return code of 3.1.1
 * @param options.maybeStored - the message that this is about may have been taken all the same
 * @param options.topicFilter - that this is about
 */
export function errorOfReason(
  packet: AnsweringPacket,
  code: number,
  options: { maybeStored?: boolean; topicFilter?: string } = {},
): BridgeError {
  const row = errorRow(tableOf(packet, code), code, '');
  const about = options.topicFilter === undefined ? '' : ` ("${options.topicFilter}")`;
  const reason = `0x${code.toString(16).padStart(2, '0').toUpperCase()}: ${row.meaning}`;
  return errorOfRow(row, `${DOING[packet]}${about}: ${reason}`, {
    maybeStored: options.maybeStored === true,
  });
}

/** The connection could not be made, or broke. Anything unknown is retried. */
export function errorOfConnection(cause: unknown, options: { maybeStored?: boolean } = {}): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const row = connectionRow(cause);
  const given = { cause, maybeStored: options.maybeStored === true };
  if (row !== undefined) return errorOfRow(row, `connecting to the MQTT broker: ${row.meaning}`, given);
  if (/connack timeout/i.test(faultOf(cause).message)) {
    return new BrokerUnavailableError('connecting to the MQTT broker: no answer in time', {
      ...given,
      code: 'TARGET_TIMEOUT',
    });
  }
  return new BrokerUnavailableError('the connection to the MQTT broker was lost', given);
}

/** What MQTT.js emits as `error` before it is connected: a refusal by CONNACK carries its number as `code`. */
export function errorOfConnecting(cause: unknown): BridgeError {
  const { code } = faultOf(cause);
  return typeof code === 'number' ? errorOfReason('connack', code) : errorOfConnection(cause);
}

/** Whether the other side closed or reset the connection, and not a word. */
export function isClosedSilently(cause: unknown): boolean {
  const { code } = faultOf(cause);
  return cause === undefined || code === 'ECONNRESET' || code === 'EPIPE';
}

/**
 * An open connection ended without a word. MQTT 3.1.1 ends it so when another client takes over; a broker of MQTT 5 says so
 * [MQTT-3.1.4-3], and is here only when the network or the broker itself has failed.
 */
export function closedSilently({
  protocolVersion,
  isReset,
}: {
  protocolVersion: MqttProtocolVersion;
  /** By a reset, which a broker sends too that closes before it has read everything. */
  isReset: boolean;
}): BridgeError {
  const code = isReset ? 'CONNECTION_RESET' : 'CONNECTION_CLOSED';
  return new BrokerUnavailableError('the MQTT broker closed the connection and gave no reason', {
    code: protocolVersion === 5 ? 'CONNECTION_LOST' : code,
  });
}

/** The broker says that another client took over, and it may have been an attempt of ours that was given up before. */
export function takenOverByStray({ maybeStored = false } = {}): BridgeError {
  return new BrokerUnavailableError(
    'the MQTT broker let in an earlier attempt of ours to connect, and closed this connection',
    { code: 'CONNECTION_LOST', maybeStored },
  );
}

/** Whoever asked for a connection has no use for it any more. */
export function abandoned(): BridgeError {
  return new BrokerUnavailableError('connecting to the MQTT broker: not wanted any more', {
    code: 'DEADLINE_PASSED',
  });
}

function tableOf(packet: AnsweringPacket, code: number): readonly ErrorRow[] {
  switch (packet) {
    case 'connack':
      // Brokers of 3.1.1 refuse a CONNECT of MQTT 5 with their own codes, which are all below those of MQTT 5.
      return code < 0x80 ? MQTT_311_CONNACK_CODES : MQTT_CONNACK_CODES;
    case 'publish':
      return MQTT_PUBLISH_CODES;
    case 'subscribe':
      return MQTT_SUBSCRIBE_CODES;
    case 'disconnect':
      return MQTT_DISCONNECT_CODES;
  }
}

function connectionRow(cause: unknown): ErrorRow | undefined {
  const { code, message, first } = faultOf(cause);
  // Several addresses were tried, as Node does for localhost: the first says enough.
  if (first !== undefined) return connectionRow(first);
  const [, httpStatus] = UPGRADE_ANSWER.exec(message) ?? [];
  if (httpStatus !== undefined) return errorRow(MQTT_CONNECTION_ERRORS, 'HTTP', httpStatus);
  const known = MQTT_CONNECTION_ERRORS.find(({ status }) => status === code);
  if (known !== undefined) return known;
  const text = `${code ?? ''} ${message}`;
  return isTls(text) ? errorRow(MQTT_CONNECTION_ERRORS, 'TLS', text) : undefined;
}

/** EPROTO is how a TLS handshake with something else ends. */
function isTls(text: string): boolean {
  return /EPROTO|ERR_SSL_|ERR_TLS_|SELF_SIGNED|UNABLE_TO_|CERT_|TLS not authorized|SSL routines/.test(text);
}

/** By its members: errors of Node may come from another realm, where `Error` is another. */
function faultOf(cause: unknown): { code?: unknown; message: string; first?: unknown } {
  if (typeof cause !== 'object' || cause === null) return { message: '' };
  const { code, message, errors }: { code?: unknown; message?: unknown; errors?: unknown } = cause;
  return {
    code,
    message: typeof message === 'string' ? message : '',
    ...(Array.isArray(errors) && errors.length > 0 ? { first: errors[0] } : {}),
  };
}

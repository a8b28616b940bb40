import type { ServiceError } from '@grpc/grpc-js';
import {
  type ErrorRow,
  errorOfRow,
  errorRow,
  GRPC_STATUSES,
  ROCKETMQ_STATUSES,
} from '../../domain/errors/error-table.ts';
import { BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';

/** What was asked when the error came: only a send can have stored something. */
export type RpcPurpose = keyof typeof DOING;

const DOING = {
  'query-route': 'querying the route',
  'send-message': 'sending to RocketMQ',
  settings: 'introducing a consumer to RocketMQ',
  receive: 'receiving from RocketMQ',
  ack: 'acknowledging to RocketMQ',
} as const;

/** A foreign text is quoted to this length. */
const MAX_TEXT_CHARS = 200;

/** RocketMQ answered with a status other than OK. */
export function errorOfStatus(status: number, text: string, purpose: RpcPurpose): BridgeError {
  const row = errorRow(ROCKETMQ_STATUSES, status, text);
  const said = `RocketMQ answered ${status}: ${row.meaning}${quoted(row, text)}`;
  return errorOfRow(row, `${DOING[purpose]}: ${said}`, stored(row, purpose));
}

/** The call itself failed. Anything that is no gRPC error is retried: it is ours, and may be a bug. */
export function errorOfCall(cause: unknown, purpose: RpcPurpose): BridgeError {
  if (cause instanceof BridgeError) return cause;
  if (!isServiceError(cause)) {
    return new BrokerUnavailableError(`${DOING[purpose]}: the call failed`, {
      code: 'TARGET_CALL_FAILED',
      cause,
      maybeStored: purpose === 'send-message',
    });
  }
  const row = errorRow(GRPC_STATUSES, cause.code, cause.details);
  const said = `gRPC status ${cause.code}: ${row.meaning}${quoted(row, cause.details)}`;
  return errorOfRow(row, `${DOING[purpose]}: ${said}`, { cause, ...stored(row, purpose) });
}

/** About a source there is no message to condemn: what would be one's fault when sending is passing here. */
export function errorOfSource(error: BridgeError): BridgeError {
  if (error.scope !== 'message') return error;
  return new BrokerUnavailableError(error.message, { code: 'TARGET_ERROR', cause: error });
}

/** A call to a consumer after its end. */
export function consumerClosed(): BridgeError {
  return new BrokerUnavailableError('the consumer is closed', { code: 'CONSUMER_CLOSED' });
}

/** True for an error that a new connection may cure: the old one may be dead without a sign (frozen sandbox, dropped flow). */
export function breaksConnection(cause: unknown): boolean {
  return isServiceError(cause) && [4, 13, 14].includes(cause.code);
}

function stored(row: ErrorRow, purpose: RpcPurpose): { maybeStored: boolean } {
  return { maybeStored: purpose === 'send-message' && row.maybeStored === true };
}

/** Texts of these name the user and where it came from, which an error that is shown and stored need not. */
const UNQUOTED: ReadonlySet<string> = new Set(['CREDENTIALS_REFUSED', 'ACCESS_DENIED']);

function quoted(row: ErrorRow, text: string): string {
  if (text === '' || UNQUOTED.has(row.code)) return '';
  const printable = text.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_TEXT_CHARS);
  return ` ("${printable}")`;
}

function isServiceError(cause: unknown): cause is ServiceError {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'number' && 'details' in cause;
}

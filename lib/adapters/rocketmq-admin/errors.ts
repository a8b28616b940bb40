import { type ErrorRow, errorOfRow, errorRow } from '../../domain/errors/error-table.ts';
import { type BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { RemotingResponse } from './remoting-frame.ts';

/** A foreign text is quoted to this length. */
const MAX_TEXT_CHARS = 200;

const CREDENTIALS = /signature|password|username|user:\S+ is (not found|disabled)|authenticat/i;
const REACHABLE_HINT =
  'Check "nameServer" of the cluster, and that its port (9876) and that of each broker (10911) can be reached from the functions.';

/** `ResponseCode`s of RocketMQ 5.4.0 as they answer requests of administration. */
export const REMOTING_STATUSES: readonly ErrorRow[] = [
  { status: 1, meaning: 'system error', leaf: 'unavailable', code: 'ADMIN_ERROR', maybeStored: true },
  { status: 2, meaning: 'the broker is busy', leaf: 'throttled', waitMs: 1_000, code: 'TARGET_THROTTLED' },
  {
    status: 3,
    meaning: 'this kind of request is not supported',
    leaf: 'hold',
    scope: 'cluster',
    code: 'ADMIN_UNSUPPORTED',
    hint: '"nameServer" must be that of an Apache RocketMQ of version 5; leave it out for any other.',
  },
  { status: 14, meaning: 'not in service', leaf: 'unavailable', code: 'ADMIN_ERROR' },
  {
    status: 16,
    text: CREDENTIALS,
    meaning: 'not authenticated',
    leaf: 'hold',
    scope: 'cluster',
    code: 'CREDENTIALS_REFUSED',
    hint: 'Check accessKey and secretKey in the secret of this cluster.',
  },
  {
    status: 16,
    meaning: 'not allowed',
    leaf: 'hold',
    scope: 'topic',
    code: 'ACCESS_DENIED',
    hint: 'Allow the user of this cluster to administrate the topic and the consumer group.',
  },
  {
    status: 17,
    meaning: 'the topic does not exist',
    leaf: 'hold',
    scope: 'topic',
    code: 'TOPIC_NOT_FOUND',
    hint: 'Create the topic on the cluster, or correct its name in the task.',
  },
  {
    status: 26,
    meaning: 'the consumer group does not exist',
    leaf: 'hold',
    scope: 'topic',
    code: 'GROUP_NOT_FOUND',
    hint: 'Start the task once, or create the consumer group on the cluster.',
  },
  { status: 29, meaning: 'a parameter is not legal', leaf: 'hold', scope: 'topic', code: 'ADMIN_REFUSED' },
  { status: 215, meaning: 'flow control', leaf: 'throttled', waitMs: 1_000, code: 'TARGET_THROTTLED' },
];

/** A name server or broker refused. @param doing - "listing topics" */
export function errorOfResponse(
  address: string,
  { code, remark }: Pick<RemotingResponse, 'code' | 'remark'>,
  doing: string,
): BridgeError {
  const row = errorRow(REMOTING_STATUSES, code, remark);
  const said = `RocketMQ at ${address} answered ${code}: ${row.meaning}${quoted(row, remark)}`;
  return errorOfRow(row, `${doing}: ${said}`, { maybeStored: row.maybeStored === true });
}

/** No connection, or one that ended without an answer. */
export function connectionFailed(address: string, isSent: boolean, cause?: Error): BridgeError {
  const how = cause === undefined ? 'it closed the connection' : codeOf(cause);
  return new BrokerUnavailableError(`calling RocketMQ at ${address}: ${how}`, {
    code: 'ADMIN_UNREACHABLE',
    cause,
    maybeStored: isSent,
    hint: REACHABLE_HINT,
  });
}

/** Time is up. */
export function noAnswer(address: string, timeoutMs: number, isSent: boolean): BridgeError {
  const what = isSent ? 'no answer' : 'no connection';
  return new BrokerUnavailableError(`calling RocketMQ at ${address}: ${what} within ${timeoutMs} ms`, {
    code: 'ADMIN_TIMEOUT',
    maybeStored: isSent,
    hint: REACHABLE_HINT,
  });
}

/** What answers is no RocketMQ, or its answer makes no sense. */
export function foreignAnswer(address: string, cause?: unknown): BridgeError {
  return new BrokerHoldError(`what answers at ${address} does not speak the remoting protocol of RocketMQ`, {
    code: 'ADMIN_ADDRESS_INVALID',
    scope: 'cluster',
    cause,
    hint: '"nameServer" must be the port of an Apache RocketMQ name server (usually 9876).',
  });
}

/** No master to ask. */
export function noBroker(nameServer: string): BridgeError {
  return new BrokerUnavailableError(`no broker has registered with the name server ${nameServer}`, {
    code: 'ADMIN_NO_BROKER',
    hint: 'Start a broker of the cluster; it registers itself within seconds.',
  });
}

/** The name server has no route to a topic. */
export function topicNotFound(rocketmqTopic: string, doing: string): BridgeError {
  const row = errorRow(REMOTING_STATUSES, 17, '');
  return errorOfRow(row, `${doing}: the cluster has no topic ${rocketmqTopic}`);
}

/** A topic of that name is there already, of another type, which nobody may change under its consumers. */
export function otherType(rocketmqTopic: string, type: string): BridgeError {
  return new BrokerHoldError(`topic ${rocketmqTopic} is there already, of type ${type}`, {
    code: 'TOPIC_EXISTS',
    scope: 'topic',
    hint: 'Choose another name, or use the topic as it is.',
  });
}

/** Created, but the name server does not know it yet. */
export function noRouteYet(rocketmqTopic: string, nameServer: string): BridgeError {
  return new BrokerUnavailableError(
    `topic ${rocketmqTopic} was created, but the name server ${nameServer} has no route to it yet`,
    { code: 'ADMIN_TIMEOUT', maybeStored: true, hint: 'Repeat the request.' },
  );
}

/** Texts of these name the user and where it came from, which an error that is shown and stored need not. */
const UNQUOTED: ReadonlySet<string> = new Set(['CREDENTIALS_REFUSED', 'ACCESS_DENIED']);

function quoted(row: ErrorRow, text: string): string {
  if (text === '' || UNQUOTED.has(row.code)) return '';
  return ` ("${text.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_TEXT_CHARS)}")`;
}

function codeOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

import { AWS_IOT_ERRORS } from '../../domain/errors/aws-iot-error-table.ts';
import { errorOfRow } from '../../domain/errors/error-table.ts';
import { BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';

/** The names that errors without one of AWS get from the status of the answer. */
const NAMES_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'InvalidRequestException'],
  [401, 'UnauthorizedException'],
  [403, 'ForbiddenException'],
  [413, 'RequestEntityTooLargeException'],
  [429, 'ThrottlingException'],
  [431, 'RequestEntityTooLargeException'],
  [500, 'InternalFailureException'],
  [503, 'ServiceUnavailableException'],
  [504, 'GatewayTimeoutException'],
]);

/** What the SDK calls errors that AWS has given no name; also the status as text. */
const NAMELESS = /^(|Error|Unknown|UnknownError|\d+)$/;

/**
 * What became of a `Publish`; anything unknown is retried. Quotes nothing of AWS's text, which may name the topic of a message.
 */
export function errorOfPublish(cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const name = nameOf(cause);
  const row = AWS_IOT_ERRORS.find(({ status }) => status === name);
  if (row !== undefined) {
    const said = `publishing to AWS IoT: ${name}: ${row.meaning}`;
    return errorOfRow(row, said, { cause, maybeStored: row.maybeStored === true });
  }
  return new BrokerUnavailableError(`publishing to AWS IoT: ${name}`, {
    code: 'TARGET_ERROR',
    cause,
    maybeStored: true,
  });
}

function nameOf(cause: unknown): string {
  const { name, code, $metadata } = membersOf(cause);
  const known = [name, code].find((one) => AWS_IOT_ERRORS.some(({ status }) => status === one));
  if (typeof known === 'string') return known;
  const { httpStatusCode } = membersOf($metadata);
  const byStatus = typeof httpStatusCode === 'number' ? NAMES_BY_STATUS.get(httpStatusCode) : undefined;
  // A name of AWS that is not known here may mean anything: retried.
  const isNamed = typeof name === 'string' && !NAMELESS.test(name);
  return isNamed ? name : (byStatus ?? 'no error');
}

/** Not by `instanceof`: errors of Node may come from another realm, where `Error` is another. */
function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

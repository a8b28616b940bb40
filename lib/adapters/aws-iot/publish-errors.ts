import { AWS_IOT_ERRORS } from '../../domain/aws-iot-error-table.ts';
import { errorOfRow } from '../../domain/error-table.ts';
import { BridgeError, BrokerUnavailableError } from '../../domain/errors.ts';

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
  if (!(cause instanceof Error)) return 'no error';
  const isKnown = (name: string) => AWS_IOT_ERRORS.some(({ status }) => status === name);
  if (isKnown(cause.name)) return cause.name;
  if ('code' in cause && typeof cause.code === 'string' && isKnown(cause.code)) return cause.code;
  return NAMES_BY_STATUS.get(statusOf(cause) ?? 0) ?? cause.name;
}

function statusOf(cause: Error): number | undefined {
  const metadata = '$metadata' in cause ? cause.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

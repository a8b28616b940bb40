import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';

const THROTTLED: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'SlowDown',
]);
const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationErrorException',
  'UnauthorizedException',
  'InvalidSecurity',
]);
/** The connection or the answer was lost: Node's codes, and the SDK's and DOM's names for a timeout. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  'TimeoutError',
  'AbortError',
  'RequestTimeout',
  'RequestTimeoutException',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
]);

/** What we read of an error of the AWS SDK. */
export interface AwsFault {
  name: string;
  message: string;
  status: number | undefined;
}

export function faultOf(error: unknown): AwsFault {
  if (!(error instanceof Error)) return { name: '', message: String(error), status: undefined };
  const { $metadata, code } = error as Error & { $metadata?: { httpStatusCode?: number }; code?: unknown };
  const name = error.name === 'Error' && typeof code === 'string' ? code : error.name;
  return { name, message: error.message, status: $metadata?.httpStatusCode };
}

/**
 * What all control planes of AWS say in the same way: too much, not now, no answer, not allowed. The rest is a refusal
 * that needs a person.
 *
 * @param doing - a gerund with its object: "creating queue x"
 */
export function controlPlaneErrorOf(error: unknown, doing: string): ControlPlaneError {
  if (error instanceof ControlPlaneError) return error;
  const fault = faultOf(error);
  if (isThrottled(fault)) {
    return notYet('CLOUD_THROTTLED', `${doing}: AWS asked for fewer calls`, error, 2_000);
  }
  if (isUnanswered(fault)) {
    return notYet('CLOUD_UNAVAILABLE', `${doing}: AWS did not answer, or could not now`, error, 3_000);
  }
  if (DENIED.has(fault.name) || fault.status === 401 || fault.status === 403) {
    return failed('CLOUD_ACCESS_DENIED', `${doing}: access is denied`, error, {
      hint: 'Check the role of the converge function, permission boundaries and service control policies.',
    });
  }
  return failed('CLOUD_REFUSED', `${doing}: ${fault.name}: ${fault.message}`, error);
}

/** A service of AWS that asks for fewer calls, does not answer, or cannot now: in a while it may. */
export function isAway(error: unknown): boolean {
  const fault = faultOf(error);
  return isThrottled(fault) || isUnanswered(fault);
}

function isThrottled({ name, status }: AwsFault): boolean {
  return THROTTLED.has(name) || status === 429;
}

function isUnanswered({ name, status }: AwsFault): boolean {
  return NO_ANSWER.has(name) || (status !== undefined && status >= 500);
}

export function notYet(code: string, message: string, cause: unknown, waitMs: number): ControlPlaneError {
  return new ControlPlaneError(message, { code, reaction: 'not-yet', waitMs, cause });
}

export function failed(
  code: string,
  message: string,
  cause: unknown,
  options: { hint?: string } = {},
): ControlPlaneError {
  return new ControlPlaneError(message, { code, reaction: 'failed', cause, ...options });
}

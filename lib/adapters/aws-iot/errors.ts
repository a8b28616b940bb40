import { type ControlPlaneError, REGION_UNKNOWN } from '../../domain/errors/control-plane-error.ts';
import { controlPlaneErrorOf, failed, faultOf, notYet } from '../aws/control-plane-errors.ts';

/** A role that was made with the stack takes seconds to be known to AWS IoT. */
const ROLE_WAIT_MS = 10_000;

/**
 * Whether AWS IoT's answer may mean that there is no such rule. It has no not-found error for rules: "Access to topic rule
 * 'x' was denied" is its word for both.
 */
export function mayBeNoSuchRule(error: unknown): boolean {
  const { name, message } = faultOf(error);
  return (
    name === 'ResourceNotFoundException' || (name === 'UnauthorizedException' && /topic rule/i.test(message))
  );
}

export function isRuleNameTaken(error: unknown): boolean {
  return faultOf(error).name === 'ResourceAlreadyExistsException';
}

/** No such endpoint, and what a region says of an account that has not enabled it: its tokens are not known there. */
const NO_REGION: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
]);

/**
 * What AWS IoT's control plane said, as our error.
 *
 * @param isHome - of the stack's own region, which is there: what looks otherwise is an outage
 */
export function errorOfIot(error: unknown, doing: string, isHome = false): ControlPlaneError {
  const { name, message } = faultOf(error);
  if (!isHome && NO_REGION.has(name)) {
    return failed(
      REGION_UNKNOWN,
      `${doing}: there is no AWS IoT Core in its region, or the account has not enabled it`,
      error,
      { hint: 'Delete the task, correct the region of its source cluster, and create it again.' },
    );
  }
  if (name === 'ConflictingResourceUpdateException') {
    return notYet('RULE_CONFLICT', `${doing}: another change is under way`, error, 2_000);
  }
  if (name === 'SqlParseException') {
    return failed('RULE_SQL_REFUSED', `${doing}: AWS IoT refused the SQL: ${message}`, error, {
      hint: 'Check the topic filters of the task.',
    });
  }
  if (name === 'InvalidRequestException' && /assume role/i.test(message)) {
    return notYet(
      'RULE_ROLE_NOT_READY',
      `${doing}: AWS IoT cannot assume the role of the rules yet`,
      error,
      ROLE_WAIT_MS,
    );
  }
  if (
    name === 'LimitExceededException' ||
    (name === 'InvalidRequestException' && /limit|quota/i.test(message))
  ) {
    return failed('RULE_QUOTA_REACHED', `${doing}: ${message}`, error, {
      hint: 'Raise the quota "rules per account" of AWS IoT Core, or delete rules.',
    });
  }
  return controlPlaneErrorOf(error, doing);
}

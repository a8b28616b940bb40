import type { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import { controlPlaneErrorOf, failed, faultOf, notYet } from '../aws/control-plane-errors.ts';

const PROPAGATION_MS = 10_000;
const QUEUE_READY_MS = 2_000;

/** Whether Lambda says that there is no such mapping. */
export function isNoSuchMapping(error: unknown): boolean {
  const { name } = faultOf(error);
  return name === 'ResourceNotFoundException';
}

/** Whether a mapping of the same queue and function exists already. */
export function isDuplicate(error: unknown): boolean {
  return faultOf(error).name === 'ResourceConflictException';
}

/** What Lambda's control plane said, as our error. */
export function errorOfLambda(error: unknown, doing: string): ControlPlaneError {
  const { name, message } = faultOf(error);
  if (name === 'ResourceInUseException') {
    return notYet('MAPPING_IN_USE', `${doing}: the mapping is changing just now`, error, 3_000);
  }
  if (name === 'ResourceConflictException') {
    return notYet('MAPPING_CONFLICT', `${doing}: another change is under way`, error, 5_000);
  }
  // A role that was made with the stack may take seconds to be known to Lambda.
  if (name === 'InvalidParameterValueException' && /execution role|cannot be assumed/i.test(message)) {
    return notYet('FUNCTION_ROLE_NOT_READY', `${doing}: ${message}`, error, PROPAGATION_MS);
  }
  // Lambda tries to receive from the queue, and SQS does not know one in its first second.
  if (
    name === 'InvalidParameterValueException' &&
    /NonExistentQueue|queue does not exist|QueueDoesNotExist/i.test(message)
  ) {
    return notYet('QUEUE_NOT_READY', `${doing}: ${message}`, error, QUEUE_READY_MS);
  }
  if (name === 'InvalidParameterValueException' && /visibility timeout/i.test(message)) {
    return failed('VISIBILITY_TOO_SHORT', `${doing}: ${message}`, error, {
      hint: "The queue's visibility timeout must not be below the batching function's timeout.",
    });
  }
  return controlPlaneErrorOf(error, doing);
}

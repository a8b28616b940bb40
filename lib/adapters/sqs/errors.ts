import type { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import { controlPlaneErrorOf, faultOf, notYet } from '../aws/control-plane-errors.ts';

/** The name of a deleted queue is blocked so long. */
const NAME_BLOCKED_MS = 60_000;
/** A new queue may not be used within its first second. */
const READY_MS = 2_000;

/** Whether SQS says that there is no such queue, by whichever of its names for it. */
export function isNoSuchQueue(error: unknown): boolean {
  const { name } = faultOf(error);
  return name === 'QueueDoesNotExist' || name.endsWith('NonExistentQueue');
}

export function isNameTaken(error: unknown): boolean {
  const { name } = faultOf(error);
  return name === 'QueueNameExists' || name === 'QueueAlreadyExists';
}

/** What SQS's control plane said, as our error. */
export function errorOfSqs(error: unknown, doing: string): ControlPlaneError {
  const { name } = faultOf(error);
  if (name === 'QueueDeletedRecently' || name.endsWith('.QueueDeletedRecently')) {
    const text = `${doing}: a queue of this name was deleted less than 60 s ago`;
    return notYet('QUEUE_DELETED_RECENTLY', text, error, NAME_BLOCKED_MS);
  }
  // Who may do without the queue catches this by its cause; for the others it was made just now.
  if (isNoSuchQueue(error)) {
    return notYet('QUEUE_NOT_READY', `${doing}: SQS does not know the queue, or not yet`, error, READY_MS);
  }
  if (name === 'OverLimit')
    return notYet('CLOUD_THROTTLED', `${doing}: AWS asked for fewer calls`, error, 5_000);
  return controlPlaneErrorOf(error, doing);
}

import { BridgeError, BrokerUnavailableError, GroupStoppedError } from '../domain/errors/errors.ts';

/**
 * What to do with a record after one attempt to send its message.
 * - `stored`: acknowledge it.
 * - `retry`: try again in this function while there is time, then give it back.
 * - `dead-letter`: hand it over.
 * - `hold`: give it back at once: a person has to act.
 */
export type Outcome =
  | { kind: 'stored'; messageId: string }
  | { kind: 'retry'; error: BridgeError }
  | { kind: 'dead-letter'; error: BridgeError }
  | { kind: 'hold'; error: BridgeError };

/**
 * Reads a producer's answer for one message. Whatever is not clearly `stored` or a `BridgeError` is retried: an odd
 * answer must never acknowledge a record, nor make a dead letter.
 */
export function outcomeOf(answer: unknown): Outcome {
  if (isObject(answer)) {
    if (answer.status === 'stored' && typeof answer.messageId === 'string') {
      return { kind: 'stored', messageId: answer.messageId };
    }
    if (answer.status === 'failed' && answer.error instanceof BridgeError) {
      return outcomeOfError(answer.error);
    }
  }
  return { kind: 'retry', error: invalidAnswer() };
}

/**
 * The outcome that an error asks for. What is no `BridgeError` is retried; the source's receive count is the backstop. A
 * message that was not sent because its group was stopped by something wrong with topic or cluster shares that outcome.
 */
export function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof BridgeError)) return { kind: 'retry', error: unexpected(error) };
  if (
    error instanceof GroupStoppedError &&
    error.cause instanceof BridgeError &&
    error.cause.scope !== 'message'
  ) {
    return outcomeOfError(error.cause);
  }
  if (error.reaction === 'dead-letter' || error.reaction === 'hold') return { kind: error.reaction, error };
  return { kind: 'retry', error };
}

/**
 * The outcome in a batch that has seen its target away: a cluster that comes back does not know its topics for a moment,
 * so what it says of them is tried again instead of held.
 */
export function outcomeInRecovery(outcome: Outcome): Outcome {
  if (outcome.kind !== 'hold' || outcome.error.scope !== 'topic') return outcome;
  const { code, message } = outcome.error;
  return { kind: 'retry', error: new BrokerUnavailableError(message, { code, cause: outcome.error }) };
}

/** A call that was never made says nothing about the target. */
const NOT_MADE = 'DEADLINE_PASSED';

/** Whether an error tells something about the target, not about a message or our own time. */
export function isOfTarget({ scope, code }: BridgeError): boolean {
  return scope !== 'message' && code !== NOT_MADE;
}

/** Nothing to wait for: an earlier message of its group was refused for itself, or the attempt was too short. */
export function isOnlyUnsent(error: BridgeError): boolean {
  return error instanceof GroupStoppedError || error.code === NOT_MADE;
}

/** What was thrown, as an error that says what to do: anything that is none is unexpected. */
export function asBridgeError(cause: unknown): BridgeError {
  return cause instanceof BridgeError ? cause : unexpected(cause);
}

/** An error of ours, not of the message or the target: kept at the source until it is repaired. */
export function unexpected(cause: unknown): BridgeError {
  return new BridgeError('forwarding a batch: an unexpected error', {
    code: 'INTERNAL_ERROR',
    reaction: 'retry',
    scope: 'message',
    cause,
    // Nobody knows how far it got.
    maybeStored: true,
  });
}

/** The target did not answer a whole send in the time it was given. */
export function noAnswer(): BridgeError {
  return new BridgeError('sending to RocketMQ: no answer in the time of this batch', {
    code: 'TARGET_TIMEOUT',
    reaction: 'retry',
    scope: 'cluster',
    maybeStored: true,
  });
}

/** The call was not made: the right to make it has gone. */
export function notMade(): BridgeError {
  return new BrokerUnavailableError('sending to RocketMQ: not allowed any more', { code: NOT_MADE });
}

function invalidAnswer(): BridgeError {
  return new BridgeError('sending to RocketMQ: the producer answered something that is no result', {
    code: 'ANSWER_INVALID',
    reaction: 'retry',
    scope: 'message',
    maybeStored: true,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import type { BridgeError } from '../../domain/errors/errors.ts';

/**
 * What became of a dead letter that was redriven.
 * - `carried`: the target has taken it.
 * - `failed`: it is the message's own fault, again.
 * - `skipped`: the task, as it is now, carries no such message.
 * - `left`: the target or we are at fault: it may be tried again as it is.
 */
export type LetterOutcome =
  | { kind: 'carried' }
  | { kind: 'failed'; code: string; reason: string; targetTopic?: string | undefined }
  | { kind: 'skipped'; reason: string }
  | { kind: 'left'; code: string; message: string };

/** The way of one task's messages to its target, for dead letters. */
export interface LetterCarrier {
  /** One outcome for each letter, in order. The order of each message group is kept. Never rejects for what the target does. */
  carry(letters: readonly DeadLetter[], options: { deadlineMs: number }): Promise<LetterOutcome[]>;
  close(): Promise<void>;
}

export function failedBy(error: BridgeError, targetTopic?: string): LetterOutcome {
  return { kind: 'failed', code: error.code, reason: error.message, targetTopic };
}

export function leftBy({ code, message }: Pick<BridgeError, 'code' | 'message'>): LetterOutcome {
  return { kind: 'left', code, message };
}

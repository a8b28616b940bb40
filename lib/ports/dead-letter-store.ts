import type { DeadLetter, DeadLetterHead } from '../domain/dead-letter.ts';
import type { Page } from './task-store.ts';

/**
 * Dead letters of all paths, kept whole for 90 days.
 *
 * @example
 * await deadLetters.put(deadLetter);
 * const { items } = await deadLetters.list(taskId, { limit: 50 });
 */
export interface DeadLetterStore {
  /**
   * Resolves when the dead letter is safely stored, or was stored before under the same id (which is then left as it
   * is). Throws when that is not certain.
   */
  put(deadLetter: DeadLetter): Promise<void>;
  get(taskId: string, deadLetterId: string): Promise<DeadLetter | undefined>;
  /** Newest first. Throws `RequestError` 400 `CURSOR_INVALID`. */
  list(taskId: string, page: { limit: number; cursor?: string }): Promise<Page<DeadLetterHead>>;
}

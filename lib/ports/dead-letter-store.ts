import type { DeadLetter, DeadLetterHead, FailedRedrive } from '../domain/dead-letters/dead-letter.ts';
import type { SeenRange } from '../domain/dead-letters/dead-letter-range.ts';
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
   * is, `known`). Throws when that is not certain.
   */
  put(deadLetter: DeadLetter): Promise<'new' | 'known'>;
  get(taskId: string, deadLetterId: string): Promise<DeadLetter | undefined>;
  /**
   * Newest first, of one reason only where a code is given, and first seen within a range of time where one is; by a code it may lag
   * behind by a moment. Throws `RequestError` 400 `CURSOR_INVALID`: a cursor is good for one reason and range.
   */
  list(
    taskId: string,
    page: { limit: number; cursor?: string; code?: string } & SeenRange,
  ): Promise<Page<DeadLetterHead>>;
  /**
   * Whole, in the order of their ids, which is that in which they were first seen; of one reason only where a code is given.
   *
   * @param from.afterId - begins behind this one
   * @param from.limit - at most so many are looked at
   */
  read(taskId: string, from: { afterId?: string; code?: string; limit: number }): Promise<DeadLetterBatch>;
  /** Notes that it failed again. Does nothing when it is gone. */
  failedAgain(taskId: string, deadLetterId: string, failed: FailedRedrive): Promise<void>;
  /** Resolves when it is gone, or was before. */
  remove(taskId: string, deadLetterId: string): Promise<void>;
  /**
   * How many there are by code, and when the oldest was first seen; may lag behind by a moment.
   *
   * @param options.maxQueries - reads, of some thousands each, after which it ends, and is partial; absent: 20
   */
  summary(taskId: string, options?: { maxQueries?: number }): Promise<DeadLetterSummary>;
}

export interface DeadLetterBatch {
  items: DeadLetter[];
  /** The last one that was looked at, which need not be among the items; absent: there are no more. */
  throughId?: string;
}

export interface DeadLetterSummary {
  byCode: Readonly<Record<string, number>>;
  /** Absent: there are none. */
  oldestSeenAtMs?: number;
  /** There are more than were counted. */
  isPartial: boolean;
}

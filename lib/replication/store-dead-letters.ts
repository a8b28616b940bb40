import type { Clock } from '../ports/clock.ts';
import type { DeadLetterStore } from '../ports/dead-letter-store.ts';
import type { Logger } from '../ports/logger.ts';
import { deadLetterOf, type HandOverRecord } from './hand-over-shapes.ts';

export type StoreDeadLetters = (records: readonly HandOverRecord[]) => Promise<{ failedRecordIds: string[] }>;

/**
 * Moves what the hand-over queue holds into the dead-letter store. Fail closed: a record is acknowledged when its
 * dead letter is stored. What cannot be told apart is stored too, and a task that is gone keeps its dead letters.
 */
export function createStoreDeadLetters({
  store,
  clock,
  logger,
}: {
  store: DeadLetterStore;
  clock: Clock;
  logger: Logger;
}): StoreDeadLetters {
  async function isStored(record: HandOverRecord): Promise<boolean> {
    try {
      const deadLetter = deadLetterOf(record, clock.now());
      await store.put(deadLetter);
      return true;
    } catch (error) {
      // It stays in the hand-over queue, which keeps it up to 14 days and has its own dead-letter queue.
      logger.warn('dead letter not stored', { recordId: record.recordId, error });
      return false;
    }
  }

  return async (records) => {
    const stored = await Promise.all(records.map(isStored));
    return { failedRecordIds: records.filter((_, index) => !stored[index]).map(({ recordId }) => recordId) };
  };
}

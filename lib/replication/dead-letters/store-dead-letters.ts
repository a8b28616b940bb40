import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import { messageError } from '../../domain/errors/message-errors.ts';
import { newCounted, type TaskCounted } from '../../domain/figures/counted.ts';
import { type Figures, isEmpty, newFigures } from '../../domain/figures/figures.ts';
import { decodeLargeEnvelope } from '../../mapping/session-envelope.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { Logger } from '../../ports/logger.ts';
import { countCode } from '../figures/batch-counts.ts';
import type { BatchFigures } from '../figures/batch-figures.ts';
import type { ReportCounts } from '../figures/count-report.ts';
import { deadLetterOf, type HandOverRecord } from './hand-over-shapes.ts';

/** @param options.deadlineMs - epoch ms at which the function is ended by force */
export type StoreDeadLetters = (
  records: readonly HandOverRecord[],
  options: { deadlineMs: number },
) => Promise<{ failedRecordIds: string[] }>;

/**
 * Moves what the hand-over queue holds into the dead-letter store. Fail closed: a record is acknowledged when its
 * dead letter is stored. What cannot be told apart is stored too, and a task that is gone keeps its dead letters.
 * A large message of a session lies where its queue's messages do, whose time began when it came: its dead letter has a copy of its own.
 */
export function createStoreDeadLetters({
  store,
  largeBodies,
  figures,
  report,
  clock,
  logger,
}: {
  store: Pick<DeadLetterStore, 'put'>;
  largeBodies: Pick<LargeBodies, 'get'>;
  figures: BatchFigures;
  report: ReportCounts;
  clock: Clock;
  logger: Logger;
}): StoreDeadLetters {
  async function isStored(record: HandOverRecord, met: DeadLetter[]): Promise<boolean> {
    try {
      const deadLetter = await withOwnBody(deadLetterOf(record, clock.now()));
      if ((await store.put(deadLetter)) === 'new') met.push(deadLetter);
      return true;
    } catch (error) {
      // It stays in the hand-over queue, which keeps it up to 14 days and has its own dead-letter queue.
      logger.warn('dead letter not stored', { recordId: record.recordId, error });
      return false;
    }
  }

  /** As it is where there is nothing to copy: what is known of it is still worth keeping. */
  async function withOwnBody(deadLetter: DeadLetter): Promise<DeadLetter> {
    const elsewhere = placeOf(deadLetter);
    const body = elsewhere === undefined ? undefined : await largeBodies.get(elsewhere);
    return body === undefined ? deadLetter : { ...deadLetter, body };
  }

  return async (records, options) => {
    const met: DeadLetter[] = [];
    const stored = await Promise.all(records.map((record) => isStored(record, met)));
    const byTask = Map.groupBy(met, ({ taskId }) => taskId);
    const counted = [...byTask].map(([taskId, some]) => ({ taskId, figures: figuresOf(some) }));
    const told = counted.filter((one) => !isEmpty(one.figures));
    if (told.length > 0) report('dead letters of rules and queues', told.map(countedOf));
    await Promise.all(told.map((one) => figures.record(one.taskId, one.figures, options)));
    return { failedRecordIds: records.filter((_, index) => !stored[index]).map(({ recordId }) => recordId) };
  };
}

function placeOf({ body }: DeadLetter): string | undefined {
  try {
    return decodeLargeEnvelope(body)?.key;
  } catch {
    // It looks like one and is none: kept as it is.
    return undefined;
  }
}

/** For the metrics of the service: the option of a task is not read here. */
function countedOf({ taskId, figures }: { taskId: string; figures: Figures }): TaskCounted {
  const counts = { ...newCounted(), consumed: figures.counts.consumed, failed: figures.failed };
  return { taskId, perTask: false, counts };
}

/** What nobody has counted yet: who hands a message over with its reason has counted it. */
function figuresOf(deadLetters: readonly DeadLetter[]): Figures {
  const figures = newFigures();
  for (const { origin, code, reason, deadLetterId, sourceTopic, failedAtMs } of deadLetters) {
    if (origin !== 'rule' && origin !== 'queue') continue;
    countCode(figures.failed, code);
    const error = messageError({
      atMs: failedAtMs,
      code,
      reason,
      outcome: 'dead-letter',
      ...(sourceTopic === undefined ? {} : { sourceTopic }),
      deadLetterId,
    });
    figures.errors = [...figures.errors, error];
    // What a rule could not put into its queue was met by no batch.
    if (origin === 'rule') figures.counts.consumed += 1;
  }
  return figures;
}

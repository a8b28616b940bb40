import { decodeWake, SHIFT_WATCH } from '../../domain/wake-message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Visibility } from '../../ports/visibility.ts';
import type { ConvergeTask } from './converge-task.ts';
import type { StartShifts } from './start-shifts.ts';

/** A record of the control queue. */
export interface WakeRecord {
  recordId: string;
  receiptHandle: string;
  queueArn: string;
  body: string;
  /** Epoch milliseconds. */
  sentTimeMs: number;
}

export type ConvergeBatch = (
  records: readonly WakeRecord[],
  run: { owner: string; deadlineMs: number },
) => Promise<{ failedRecordIds: string[] }>;

/** How much of the waiting is done in the function, so that a start takes seconds. */
const WAIT_BUDGET_MS = 20_000;
const SOONEST_SECONDS = 2;
const LATEST_SECONDS = 10;
/**
 * After so long of `not-yet` the tick, which wakes such a task each minute, is enough: a record that stayed longer than
 * the next ones need to come would have them pile up behind it.
 */
const LONGEST_STAY_MS = 3 * 60_000;
const WATCH_EVERY_MS = 10_000;
/** Then the next tick's record comes. */
const WATCH_MS = 50_000;

/**
 * Converges the tasks that records of the control queue name. A record whose task is not yet as wanted is given back, to
 * come again in 2 to 10 s; one that failed for another cause comes again by the queue's own visibility timeout.
 */
export function createConvergeBatch({
  convergeTask,
  startShifts,
  visibility,
  clock,
  logger,
}: {
  convergeTask: ConvergeTask;
  startShifts: StartShifts;
  visibility: Visibility;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): ConvergeBatch {
  async function comeAgain(records: readonly WakeRecord[], waitMs: number): Promise<void> {
    const seconds = Math.min(LATEST_SECONDS, Math.max(SOONEST_SECONDS, Math.ceil(waitMs / 1_000)));
    const queueArn = records[0]?.queueArn ?? '';
    await visibility.change(
      queueArn,
      records.map(({ receiptHandle }) => ({ receiptHandle, visibilityTimeoutSeconds: seconds })),
    );
  }

  /** Answers the records that have to come again. All records of one task stand or fall together: their order stays. */
  async function converge(
    taskId: string,
    records: readonly WakeRecord[],
    { owner, deadlineMs }: { owner: string; deadlineMs: number },
  ): Promise<readonly WakeRecord[]> {
    try {
      const result = await convergeTask(taskId, { owner, deadlineMs, waitBudgetMs: WAIT_BUDGET_MS });
      if (result.outcome === 'done') return [];
      if (records.every(({ sentTimeMs }) => clock.now() - sentTimeMs >= LONGEST_STAY_MS)) return [];
      await comeAgain(records, result.waitMs);
      return records;
    } catch (error) {
      logger.error('converge did not finish', { taskId, error });
      return records;
    }
  }

  /** A shift that was ended by force is replaced within this of its lease's end, and not at the next minute. */
  async function watchShifts(record: WakeRecord): Promise<readonly WakeRecord[]> {
    try {
      await startShifts({ onlyKilled: true });
      if (clock.now() - record.sentTimeMs >= WATCH_MS) return [];
      await comeAgain([record], WATCH_EVERY_MS);
    } catch (error) {
      logger.error('shifts could not be looked after', { error });
    }
    return [record];
  }

  return async (records, run) => {
    const byTask = new Map<string, WakeRecord[]>();
    const watches: WakeRecord[] = [];
    for (const record of records) {
      if (record.body === SHIFT_WATCH) {
        watches.push(record);
        continue;
      }
      const taskId = decodeWake(record.body);
      // Nobody could ever read it: it is not given back.
      if (taskId === undefined)
        logger.error('a record of the control queue names no task', { recordId: record.recordId });
      else byTask.set(taskId, [...(byTask.get(taskId) ?? []), record]);
    }
    const given = await Promise.all([
      ...[...byTask].map(([taskId, ofTask]) => converge(taskId, ofTask, run)),
      ...watches.map(watchShifts),
    ]);
    return { failedRecordIds: given.flat().map(({ recordId }) => recordId) };
  };
}

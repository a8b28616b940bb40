import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Visibility } from '../ports/visibility.ts';
import type { GivenBack } from './batch-ledger.ts';
import { type Random, visibilityTimeoutSeconds } from './retry-schedule.ts';
import { withTimeout } from './with-timeout.ts';

/** Of the function's time, what must be left for its answer. */
const RESERVE_MS = 500;
const LONGEST_MS = 4_000;

/**
 * Sets when records that are given back come again. What could not be set comes after the queue's own visibility
 * timeout: nothing depends on the answer.
 */
export async function giveBack(
  queueArn: string,
  givenBack: readonly GivenBack[],
  {
    visibility,
    clock,
    logger,
    deadlineMs,
    random = Math.random,
  }: { visibility: Visibility; clock: Clock; logger: Logger; deadlineMs: number; random?: Random },
): Promise<void> {
  if (givenBack.length === 0) return;
  const nowMs = clock.now();
  const changes = givenBack.map(({ record, waitMs }) => ({
    receiptHandle: record.receiptHandle,
    visibilityTimeoutSeconds: visibilityTimeoutSeconds(record, nowMs, waitMs, random),
  }));
  try {
    await withTimeout(
      visibility.change(queueArn, changes),
      Math.min(LONGEST_MS, deadlineMs - RESERVE_MS - nowMs),
    );
  } catch (error) {
    logger.warn('visibility not changed', { queueArn, records: changes.length, error });
  }
}

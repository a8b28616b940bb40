import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Visibility } from '../../ports/visibility.ts';
import { exactTimeoutSeconds, type Random, visibilityTimeoutSeconds } from '../retry-schedule.ts';
import { withTimeout } from '../with-timeout.ts';
import type { GivenBack } from './batch-ledger.ts';

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
  const timeouts = givenBack.map(({ record, waitMs, isExact }) =>
    isExact
      ? exactTimeoutSeconds(record, nowMs, waitMs)
      : visibilityTimeoutSeconds(record, nowMs, waitMs, random),
  );
  const ofGroups = longestOfGroups(givenBack, timeouts);
  const changes = givenBack.map(({ record }, index) => ({
    receiptHandle: record.receiptHandle,
    visibilityTimeoutSeconds: ofGroups.get(record.groupKey) ?? timeouts[index] ?? 0,
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

/** What is in order comes again together: none of a group before an earlier one of it. */
function longestOfGroups(
  givenBack: readonly GivenBack[],
  timeouts: readonly number[],
): ReadonlyMap<string | undefined, number> {
  const longest = new Map<string | undefined, number>();
  for (const [index, { record }] of givenBack.entries()) {
    if (record.groupKey === undefined) continue;
    longest.set(record.groupKey, Math.max(longest.get(record.groupKey) ?? 0, timeouts[index] ?? 0));
  }
  return longest;
}

import type { BridgeError } from '../domain/errors/errors.ts';
import { keepRecent } from '../domain/keep-recent.ts';
import { countTry, newTally, RetriesExhaustedError, type RetryPolicy } from '../domain/tasks/retry-policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { RetryTallies } from '../ports/retry-tallies.ts';
import type { Random } from './retry-schedule.ts';
import { inTime } from './with-timeout.ts';

/** Failed messages that one process remembers. */
const MAX_NOTES = 10_000;
const TABLE_MS = 3_000;
/** Clocks of two functions are not the same. */
const CLOCKS_MS = 1_000;

/** What a process knows of what a target has taken from it. */
export interface Taken {
  /** Epoch ms of the last time; 0: not yet. */
  atMs: number;
  /** How often. */
  count: number;
  /** Epoch ms by the clock of somebody else who sends there too. */
  elsewhereAtMs?: number;
}

/** A message whose sending has failed. */
export interface FailedTry {
  taskId: string;
  /** The same at each receipt. */
  messageId: string;
  policy: RetryPolicy;
  error: BridgeError;
  /** Other messages, by the same target. */
  taken: Taken;
  /** Epoch ms of the first receipt: nothing before that proves anything. */
  firstSeenAtMs: number;
}

/**
 * - `uncounted`: it is not known whose fault it was; nothing changes.
 * - `again`: the failure was the message's own, and counts; the next try is after `waitMs`.
 * - `give-up`: the tries are used up.
 */
export type RetryVerdict =
  | { kind: 'uncounted' }
  | { kind: 'again'; waitMs: number }
  | { kind: 'give-up'; error: RetriesExhaustedError };

/** Never rejects. */
export type RetryWatch = (failed: FailedTry) => Promise<RetryVerdict>;

const UNCOUNTED: RetryVerdict = { kind: 'uncounted' };

/**
 * Counts the tries of messages that fail while their target takes others. A failure counts when this process has seen three
 * things in this order: the message fail, the target take another one, the message fail again. So an outage counts
 * for nothing, however long it is; the first failure, and the first one in another process, never count. What was counted is
 * in the table before anything follows from it; where it cannot be, nothing counts.
 */
export function createRetryWatch({
  tallies,
  clock,
  logger,
  random = Math.random,
}: {
  tallies: RetryTallies;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
  random?: Random | undefined;
}): RetryWatch {
  /** When each message last failed here, and how often the target had taken others by then. */
  const notes = new Map<string, Taken>();

  async function count(failed: FailedTry, taken: Taken, note: Taken | undefined): Promise<RetryVerdict> {
    const { taskId, messageId, policy } = failed;
    const known = await inTime(tallies.get(taskId, messageId), TABLE_MS);
    const isKnownElsewhere = known !== undefined && known.lastAtMs > (note?.atMs ?? 0);
    if (isKnownElsewhere && lastTakenMs(taken) <= known.lastAtMs) return UNCOUNTED;
    const tally = known ?? (note && newTally(note.atMs));
    if (tally === undefined) return UNCOUNTED;
    const decision = countTry(policy, tally, clock.now(), random);
    if (decision.kind === 'give-up') {
      return { kind: 'give-up', error: new RetriesExhaustedError(failed.error, decision.tally) };
    }
    await inTime(tallies.put(taskId, messageId, decision.tally), TABLE_MS);
    return { kind: 'again', waitMs: decision.waitMs };
  }

  return async (failed) => {
    const key = `${failed.taskId}#${failed.messageId}`;
    const note = notes.get(key);
    const { taken, firstSeenAtMs } = failed;
    keepRecent(notes, key, { atMs: clock.now(), count: taken.count }, MAX_NOTES);
    // During an outage it ends here: the table is asked only where the target has taken something meanwhile.
    const isNews = note === undefined || isSince(note, taken);
    if (!isNews || lastTakenMs(taken) < firstSeenAtMs) return UNCOUNTED;
    try {
      return await count(failed, taken, note);
    } catch (error) {
      logger.warn('tries not counted', { taskId: failed.taskId, messageId: failed.messageId, error });
      return UNCOUNTED;
    }
  };
}

function lastTakenMs({ atMs, elsewhereAtMs = 0 }: Taken): number {
  return Math.max(atMs, elsewhereAtMs - CLOCKS_MS);
}

/** By count what happened here, within a millisecond too. */
function isSince(note: Taken, { count, elsewhereAtMs = 0 }: Taken): boolean {
  return count > note.count || elsewhereAtMs - CLOCKS_MS > note.atMs;
}

import { CANARY_EVERY_MS, type CanaryFailure } from '../domain/tasks/canary.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { LaneHealth } from './shifts/lane.ts';

/** The lane is open, and its first messages are not in the way of one more. */
const FIRST_AFTER_MS = 5_000;

/**
 * The canary of a lane, soon after its begin and then each minute until the signal aborts. Resolves then; never rejects.
 *
 * @param options.carry - answers what the canary met; `unknown`: it says nothing about the way
 */
export async function runCanary({
  taskId,
  carry,
  health,
  clock,
  logger,
  signal,
}: {
  taskId: string;
  carry(sentAtMs: number): Promise<'through' | 'unknown' | CanaryFailure>;
  health: Pick<LaneHealth, 'canary'>;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}): Promise<void> {
  for (let waitMs = FIRST_AFTER_MS; !signal.aborted; waitMs = CANARY_EVERY_MS) {
    // The end of the lane wakes its clock.
    await clock.sleep(waitMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const verdict = await carry(clock.now());
      if (verdict !== 'unknown' && !signal.aborted) health.canary(verdict);
    } catch (error) {
      // A fault of ours says nothing about the way; the next one is sent all the same.
      logger.error('canary stumbled', { taskId, error });
    }
  }
}

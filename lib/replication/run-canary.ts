import { CANARY_EVERY_MS, type CanaryFailure } from '../domain/canary.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { LaneHealth } from './lane.ts';

/**
 * The canary of a lane, each minute until the signal aborts. Resolves then; never rejects.
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
  while (!signal.aborted) {
    // The end of the lane wakes its clock.
    await clock.sleep(CANARY_EVERY_MS, signal).catch(() => undefined);
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

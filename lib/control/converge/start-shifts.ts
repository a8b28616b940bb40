import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { SHIFT_KINDS } from '../../ports/shifts.ts';
import { wakeShift } from './converge-shift-steps.ts';
import type { Shifts } from './converge-steps.ts';

/**
 * Starts a shift of each kind that has work and nobody who does it.
 *
 * @param options.onlyKilled - not where the last one has ended by itself, as idle ones do
 */
export type StartShifts = (options: { onlyKilled: boolean }) => Promise<{
  /** There is work for shifts at all. */
  isNeeded: boolean;
  started: number;
}>;

export function createStartShifts({
  shifts,
  clock,
  logger,
}: {
  shifts: Pick<Shifts, 'roster' | 'slots' | 'starter'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): StartShifts {
  return async ({ onlyKilled }) => {
    const result = { isNeeded: false, started: 0 };
    for (const kind of SHIFT_KINDS) {
      if ((await shifts.roster.read(kind)).length === 0) continue;
      result.isNeeded = true;
      try {
        if (await wakeShift(kind, shifts, clock.now(), { onlyKilled })) result.started += 1;
      } catch (error) {
        // Whoever looks next tries again.
        if (!(error instanceof ControlPlaneError)) throw error;
        logger.warn('a shift could not be started', { kind, code: error.code });
      }
    }
    return result;
  };
}

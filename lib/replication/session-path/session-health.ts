import type { BridgeError } from '../../domain/errors/errors.ts';
import type { LaneHealth } from '../shifts/lane.ts';

/** Passes on changes only: the sender says after each call how its target does. */
export function createHealthChanges(health: LaneHealth, isOpen: () => boolean): LaneHealth {
  let told: string | undefined;
  return {
    working() {
      if (told === '' || !isOpen()) return;
      told = '';
      health.working();
    },
    failing(error: BridgeError) {
      if (told === error.code || !isOpen()) return;
      told = error.code;
      health.failing(error);
    },
    canary(verdict) {
      if (isOpen()) health.canary(verdict);
    },
  };
}

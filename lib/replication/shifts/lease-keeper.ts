import type { Clock } from '../../ports/clock.ts';
import type { LaneLease, LaneLeases, LaneMemory, LaneState } from '../../ports/lane-leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ShiftTimes } from './shift-times.ts';

/** Keeps the lease on one lane, and knows whether it is still ours. */
export interface LeaseKeeper {
  readonly memory: LaneMemory;
  /** False once it is lost, given back, or about to run out by our own clock. */
  isOurs(): boolean;
  /** Aborted when the lease is lost or given back. */
  readonly gone: AbortSignal;
  /**
   * True: the table says that it is ours. False may also mean that it did not answer; it is asked again at the next renewal,
   * while the lease lasts.
   */
  renew(state: LaneState): Promise<boolean>;
  remember(memory: LaneMemory): Promise<boolean>;
  /** Gives it back; resolves also when that could not be written: it then runs out by itself. */
  giveBack(): Promise<void>;
}

/**
 * A lease that could not be renewed is given up by our own clock before it ends in the table, so that two owners never
 * publish at a time.
 */
export function keepLease(
  granted: { lease: LaneLease; memory: LaneMemory },
  {
    leases,
    times,
    clock,
    logger,
  }: { leases: LaneLeases; times: ShiftTimes; clock: Pick<Clock, 'now'>; logger: Logger },
): LeaseKeeper {
  const gone = new AbortController();
  const { taskId, lane } = granted.lease;
  let { lease, memory } = granted;

  const isOurs = () => !gone.signal.aborted && clock.now() < lease.expiresAtMs - times.marginMs;

  function lose(why: string): void {
    if (gone.signal.aborted) return;
    logger.warn('lease lost', { taskId, lane, why });
    gone.abort();
  }

  return {
    get memory() {
      return memory;
    },
    isOurs,
    gone: gone.signal,

    async renew(state) {
      if (gone.signal.aborted) return false;
      try {
        const renewed = await leases.renew(lease, times.leaseMs, state);
        if (renewed === undefined) lose('another shift has it');
        else lease = renewed;
        return renewed !== undefined && isOurs();
      } catch (error) {
        logger.warn('lease not renewed', { taskId, lane, error });
        if (!isOurs()) lose('it has run out');
        return false;
      }
    },

    async remember(next) {
      const isKept = isOurs() && (await leases.remember(lease, next));
      if (isKept) memory = next;
      else lose('another shift has it');
      return isKept;
    },

    async giveBack() {
      if (gone.signal.aborted) return;
      gone.abort();
      try {
        await leases.release(lease);
      } catch (error) {
        logger.warn('lease not released', { taskId, lane, error });
      }
    },
  };
}

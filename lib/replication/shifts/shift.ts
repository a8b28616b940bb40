import type { RosterEntry, ShiftKind, ShiftRoster, ShiftSlots } from '../../ports/shifts.ts';
import type { StackStore } from '../../ports/stack-store.ts';
import type { ClusterReader } from '../../ports/task-reader.ts';
import type { HeldLanePorts } from './held-lane.ts';
import { createLaneEnds } from './lane-ends.ts';
import { createShiftLanes, type ShiftLanes, type ShiftLanesOptions } from './shift-lanes.ts';
import { findPlace, keepPlace, type Place, type ShiftIdentity } from './shift-place.ts';

/** How often a shift asks whether the stack is being removed. */
const STACK_LOOK_MS = 10_000;

export interface ShiftPorts extends Omit<HeldLanePorts, 'ends'>, Pick<ShiftLanesOptions, 'capacity'> {
  kind: ShiftKind;
  roster: ShiftRoster;
  slots: ShiftSlots;
  stack: Pick<StackStore, 'read'>;
  clusters: ClusterReader;
  /** Tells the shifts of one deployment from those of another. */
  codeVersion: string;
  /** A shift whose lanes met no message for so long ends; 0: never. The next tick begins another. */
  idleEndMs: number;
}

/** What a shift was. `none`: there was nothing to do for it. */
export interface ShiftReport {
  place: 'none' | Place['kind'];
  /** Lanes held at the end, before they were given back. */
  lanes: number;
}

interface Shift {
  identity: ShiftIdentity;
  /** As last kept. */
  place: Place;
  lanes: ShiftLanes;
  beganMs: number;
  stackLookAtMs: number;
  /** It ends since another deployment's shift waits. */
  givesWay: boolean;
}

/**
 * @param run.owner - unique to the invocation or process
 * @param run.deadlineMs - epoch ms at which the function is ended by force; absent: a process that lives on
 * @param run.signal - aborted: drain, and end
 */
export type RunShift = (run: {
  owner: string;
  deadlineMs?: number;
  signal?: AbortSignal;
}) => Promise<ShiftReport>;

/**
 * One long run of a scheduled function, or of a process: takes a slot, or waits warm for one; works on the lanes whose
 * leases it gets, until shortly before its end; and gives them back one by one to the standby that waits for them. It never
 * invokes itself.
 */
export function createShift(ports: ShiftPorts): RunShift {
  const { kind, roster, slots, stack, times, clock, logger, codeVersion } = ports;
  const ends = createLaneEnds(ports);
  /** Another deployment's shift takes over: it is not displaced in turn, only stood in for when it is gone. */
  let isSuperseded = false;
  /** Epoch ms. Until then its slot is left to it: it may be busy with the lanes that were given back. */
  let givesWayUntilMs = 0;

  /** Works until there is a reason to end. Bounded by the deadline, or by whoever ends the process. */
  async function work(shift: Shift, { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal }) {
    for (
      let waitMs = 0;
      !signal.aborted;
      waitMs = shift.place.kind === 'standby' ? times.pollMs / 4 : times.pollMs
    ) {
      await clock.sleep(waitMs, signal).catch(() => undefined);
      if (signal.aborted) break;
      if (clock.now() >= deadlineMs - times.handOverBeforeMs / 2) return 'time is up';
      const why = await look(shift).catch((error: unknown) => {
        // The table is away: lanes go on while their leases last, and the next look tells.
        logger.warn('the shift could not look at its table', { kind, error });
      });
      if (why !== undefined) return why;
    }
    return 'told to end';
  }

  /** Looks once at the stack, the place and the roster; answers why the shift ends, if it does. */
  async function look(shift: Shift): Promise<string | undefined> {
    const nowMs = clock.now();
    if (nowMs >= shift.stackLookAtMs) {
      if ((await stack.read()).removing) return 'the stack is being removed';
      shift.stackLookAtMs = nowMs + STACK_LOOK_MS;
    }
    const kept = await keepPlace(shift.place, shift.identity, ports);
    if (kept.kind === 'end') {
      shift.givesWay = kept.isSuperseded === true;
      return kept.why;
    }
    shift.place = kept;
    const entries = await roster.read(kind);
    await shift.lanes.reconcile(entries, { mayTake: kept.mayTake });
    return isIdle(entries, shift) ? 'nothing to do' : undefined;
  }

  function isIdle(entries: readonly RosterEntry[], { lanes, beganMs }: Shift): boolean {
    if (entries.length === 0) return lanes.size === 0;
    const lastMs = Math.max(beganMs, lanes.lastMessageAtMs());
    return ports.idleEndMs > 0 && clock.now() - lastMs > ports.idleEndMs;
  }

  async function giveBack({ place, lanes }: Shift): Promise<void> {
    if (place.kind === 'slot') {
      // Says that lanes come free; without it the standby would only look after each lease's end.
      await slots.renew(place.slot, times.leaseMs, { isHandingOver: true }).catch((error: unknown) => {
        logger.warn('the hand-over could not be announced', { kind, error });
      });
    }
    await lanes.endAll('hand-over');
    if (place.kind !== 'slot') return;
    await slots.release(place.slot).catch((error: unknown) => {
      logger.warn('the slot could not be released: it runs out', { kind, error });
    });
  }

  return async ({ owner, deadlineMs = Number.POSITIVE_INFINITY, signal = new AbortController().signal }) => {
    const endsAtMs = deadlineMs - times.handOverBeforeMs;
    const isFunction = Number.isFinite(endsAtMs);
    const identity: ShiftIdentity = { kind, owner, codeVersion, ...(isFunction ? { endsAtMs } : {}) };
    const [{ removing }, entries] = await Promise.all([stack.read(), roster.read(kind)]);
    if (removing || entries.length === 0 || clock.now() < givesWayUntilMs) return { place: 'none', lanes: 0 };
    const place = await findPlace(identity, entries, { ...ports, mayStandBy: !isSuperseded });
    if (place === undefined) return { place: 'none', lanes: 0 };
    logger.info('shift began', { kind, place: place.kind });
    const beganMs = clock.now();
    const shift: Shift = {
      identity,
      place,
      lanes: createShiftLanes({ ...ports, ends, owner }),
      beganMs,
      stackLookAtMs: beganMs + STACK_LOOK_MS,
      givesWay: false,
    };
    const why = await work(shift, { deadlineMs, signal });
    const { size } = shift.lanes;
    await giveBack(shift);
    if (shift.givesWay) {
      isSuperseded = true;
      givesWayUntilMs = clock.now() + 2 * times.leaseMs;
    }
    logger.info('shift ended', { kind, why, lanes: size });
    return { place: place.kind, lanes: size };
  };
}

import type { ShiftMode, ShiftRecord, Task } from '../../domain/tasks/task.ts';
import type { LaneRecord } from '../../ports/lane-leases.ts';
import type { RosterEntry } from '../../ports/shifts.ts';

export type ShiftStep =
  /** Recorded before shifts are told. `gaveUpOn`: they did not carry this out in time. */
  | { kind: 'announce-shift'; shift: ShiftRecord; gaveUpOn?: 'discard' | 'end' }
  | { kind: 'tell-shift' }
  | { kind: 'look-at-lanes' }
  /** The lanes that a task has no more. */
  | { kind: 'forget-lanes' }
  /** Nothing of the task is left at its source. */
  | { kind: 'forget-shift' }
  | { kind: 'wait'; waitMs: number };

const LANES_POLL_MS = 2_000;
/** A source that does not answer must not keep a task from being paused, changed or deleted for longer. */
export const CLEARING_MS = 2 * 60_000;

interface SeenLanes {
  lanes?: readonly LaneRecord[];
}

/** Whether somebody works on the lane, or in the slot. */
export function isLive(
  { owner, expiresAtMs = 0 }: Pick<LaneRecord, 'owner' | 'expiresAtMs'>,
  nowMs: number,
): boolean {
  return owner !== undefined && expiresAtMs > nowMs;
}

/** What the roster of shifts is to say; undefined: nothing. */
export function entryOf(
  taskId: string,
  { mode, version, lanes, mostLanes }: ShiftRecord,
): RosterEntry | undefined {
  if (mode === 'none') return undefined;
  return { taskId, mode, version, lanes, ...(mostLanes > lanes ? { endedLanes: mostLanes } : {}) };
}

/** Whether every lane says of itself that it does, in effect, what shifts were told. */
export function areEffective({ mode, version, lanes }: ShiftRecord, records: readonly LaneRecord[]): boolean {
  const inEffect = records.filter(
    ({ lane, state }) =>
      lane < lanes && state?.mode === mode && state.version >= version && state.isEffective,
  );
  return inEffect.length === lanes;
}

/** The step towards shifts knowing that they are to work so on the task; undefined when they were told. */
export function planTelling(
  task: Task,
  kind: ShiftRecord['kind'],
  mode: 'forward' | 'buffer',
  nowMs: number,
): ShiftStep | undefined {
  const { shift } = task.resources;
  const { source, options } = task.definition;
  const wanted = {
    kind,
    mode,
    version: task.version,
    lanes: options.lanes,
    sourceClusterId: source.clusterId,
  };
  const isAnnounced =
    shift?.mode === mode && shift.version === wanted.version && shift.lanes === wanted.lanes;
  if (isAnnounced) return shift.isTold ? undefined : { kind: 'tell-shift' };
  // Lanes of a pull task have nothing of their own at the source.
  const mostLanes = kind === 'pull' ? wanted.lanes : Math.max(wanted.lanes, shift?.mostLanes ?? 0);
  return { kind: 'announce-shift', shift: { ...wanted, sinceMs: nowMs, isTold: false, mostLanes } };
}

/** The step towards nobody working on the task any more, what it has at its source staying there; undefined when it is so. */
export function planStop(task: Task, seen: SeenLanes, nowMs: number): ShiftStep | undefined {
  const { shift } = task.resources;
  if (shift === undefined) return undefined;
  if (shift.mode !== 'none') return announce(shift, { mode: 'none', nowMs });
  if (!shift.isTold) return { kind: 'tell-shift' };
  if (seen.lanes === undefined) return { kind: 'look-at-lanes' };
  return seen.lanes.some((lane) => isLive(lane, nowMs)) ? { kind: 'wait', waitMs: LANES_POLL_MS } : undefined;
}

/**
 * The step towards lanes having taken back their subscriptions (`discard`), or whatever they have at the source (`end`), and
 * nobody working on the task after that; undefined when it is so. A source that does not answer is given up, with an event.
 */
export function planClearing(
  task: Task,
  mode: 'discard' | 'end',
  seen: SeenLanes,
  nowMs: number,
): ShiftStep | undefined {
  const { shift } = task.resources;
  if (shift === undefined) return undefined;
  if (shift.mode === 'none' && shift.cleared !== undefined && (shift.cleared === mode || mode === 'discard'))
    return planStop(task, seen, nowMs) ?? (mode === 'end' ? { kind: 'forget-shift' } : undefined);
  // Lanes that the task had once are there as well.
  if (shift.mode !== mode) return announce(shift, { mode, nowMs, lanes: shift.mostLanes });
  if (!shift.isTold) return { kind: 'tell-shift' };
  if (seen.lanes === undefined) return { kind: 'look-at-lanes' };
  if (areEffective(shift, seen.lanes)) return announce(shift, { mode: 'none', nowMs, cleared: mode });
  if (nowMs - shift.sinceMs < CLEARING_MS) return { kind: 'wait', waitMs: LANES_POLL_MS };
  return { ...announce(shift, { mode: 'none', nowMs, cleared: mode }), gaveUpOn: mode };
}

/**
 * The step towards lanes being gone that the task had and has no more; undefined when they are. Of a session each is ended
 * first by whoever holds it.
 */
export function planFewerLanes(task: Task, seen: SeenLanes, nowMs: number): ShiftStep | undefined {
  const { shift } = task.resources;
  if (shift === undefined) return undefined;
  if (seen.lanes === undefined) return { kind: 'look-at-lanes' };
  const surplus = seen.lanes.filter(({ lane }) => lane >= shift.lanes);
  if (shift.mostLanes > shift.lanes) {
    const areEnded = surplus.every(({ state }) => state?.mode === 'end' && state.isEffective);
    if (!areEnded && nowMs - shift.sinceMs < CLEARING_MS) return { kind: 'wait', waitMs: LANES_POLL_MS };
    const fewer = { ...shift, mostLanes: shift.lanes, isTold: false };
    return { kind: 'announce-shift', shift: fewer, ...(areEnded ? {} : { gaveUpOn: 'end' }) };
  }
  if (surplus.length === 0) return undefined;
  const isHeld = surplus.some((lane) => isLive(lane, nowMs));
  return isHeld ? { kind: 'wait', waitMs: LANES_POLL_MS } : { kind: 'forget-lanes' };
}

function announce(
  { cleared: _, ...shift }: ShiftRecord,
  change: { mode: ShiftMode; nowMs: number; lanes?: number; cleared?: 'discard' | 'end' },
): Extract<ShiftStep, { kind: 'announce-shift' }> {
  const { nowMs, ...changed } = change;
  return { kind: 'announce-shift', shift: { ...shift, ...changed, sinceMs: nowMs, isTold: false } };
}

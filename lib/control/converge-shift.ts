import type { ShiftMode, ShiftRecord, Task } from '../domain/task.ts';
import type { LaneRecord } from '../ports/lane-leases.ts';

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
  const mostLanes = Math.max(wanted.lanes, shift?.mostLanes ?? 0);
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
 * The step towards lanes being gone that the task had and has no more; undefined when they are. Of a session each has to be
 * ended by whoever holds it: the broker goes on giving messages to a session that is left alone (protocol-design-rule 6).
 */
export function planFewerLanes(task: Task, seen: SeenLanes, nowMs: number): ShiftStep | undefined {
  const { shift } = task.resources;
  if (shift === undefined || shift.mostLanes <= shift.lanes) return undefined;
  if (seen.lanes === undefined) return { kind: 'look-at-lanes' };
  const surplus = seen.lanes.filter(({ lane }) => lane >= shift.lanes);
  const areFree = !surplus.some((lane) => isLive(lane, nowMs));
  const areEnded = surplus.every(({ state }) => state?.mode === 'end' && state.isEffective);
  const isEnough = shift.kind === 'pull' || areEnded || nowMs - shift.sinceMs >= CLEARING_MS;
  return areFree && isEnough ? { kind: 'forget-lanes' } : { kind: 'wait', waitMs: LANES_POLL_MS };
}

function announce(
  { cleared: _, ...shift }: ShiftRecord,
  change: { mode: ShiftMode; nowMs: number; lanes?: number; cleared?: 'discard' | 'end' },
): Extract<ShiftStep, { kind: 'announce-shift' }> {
  const { nowMs, ...changed } = change;
  return { kind: 'announce-shift', shift: { ...shift, ...changed, sinceMs: nowMs, isTold: false } };
}

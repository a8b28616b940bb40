import type { SessionPathSpecs } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Seen, Step } from './converge-plan.ts';
import { awaitMapping, planMapping, type SeenMapping } from './converge-plan-queue.ts';

/** SQS's counts may lag so long: only what is empty in two looks so far apart is empty. */
export const EMPTY_MS = 60_000;
/** A queue that drains is empty sooner; one of a group that is published to faster than it drains never is. */
export const LASTING_MS = 10 * 60_000;

export type OverflowStep =
  | { kind: 'begin-overflow' }
  /** Reserves the units of the mapping, or finds out that none are free. */
  | { kind: 'hold-units' }
  | { kind: 'note-overflow'; isEmpty: boolean }
  /** Order is kept by way of the queue for so long that a person should know. */
  | { kind: 'tell-overflow-lasts'; sinceMs: number }
  /** The queue is empty and the mapping disabled: marks of groups that were put before that time end. */
  | { kind: 'abandon-groups'; putBeforeMs: number }
  /** The units of the mapping go back. */
  | { kind: 'end-overflow' };

/**
 * The step towards it being recorded that messages wait in the queue of a running session task: because its lanes say that
 * they put some there, because it was paused and did so, or because some are there. That older messages are ahead of theirs
 * ordered lanes know by the marks of their groups.
 */
export function planOverflowRecord(task: Task, { backlog }: Seen): Step | undefined {
  const { overflow, shift } = task.resources;
  if (overflow !== undefined) return undefined;
  if (backlog === undefined) return { kind: 'look-at-backlog' };
  const waits = isFilled(task, backlog) || shift?.mode === 'buffer';
  return waits ? { kind: 'begin-overflow' } : undefined;
}

/**
 * The step of draining a running session task's queue: its mapping is enabled while something waits there, and holds units of
 * the stack's concurrency only then. Undefined: nothing to do before the next look, a minute later.
 */
export function planOverflow(
  task: Task,
  specs: SessionPathSpecs,
  mapping: SeenMapping,
  seen: Seen,
  nowMs: number,
): Step | undefined {
  const { overflow } = task.resources;
  if (overflow === undefined) return planMapping(task, specs, mapping, false);
  if (seen.backlog === undefined) return { kind: 'look-at-backlog' };
  if (isFilled(task, seen.backlog)) {
    if (overflow.emptyAtMs !== undefined) return { kind: 'note-overflow', isEmpty: false };
    const lasting = planTelling(task, nowMs);
    if (lasting !== undefined) return lasting;
    if (seen.units === undefined) return { kind: 'hold-units' };
    const isHeld = task.resources.hold !== undefined;
    return seen.units === 'held' ? planMapping(task, specs, mapping, !isHeld) : undefined;
  }
  if (overflow.emptyAtMs === undefined) return { kind: 'note-overflow', isEmpty: true };
  if (nowMs - overflow.emptyAtMs < EMPTY_MS) return undefined;
  return (
    planMapping(task, specs, mapping, false) ??
    awaitMapping(mapping, 'Disabled') ??
    planAbandoning(task, overflow.emptyAtMs, seen) ?? { kind: 'end-overflow' }
  );
}

function planTelling({ definition, resources }: Task, nowMs: number): Step | undefined {
  const { sinceMs, isLastingTold } = resources.overflow ?? {};
  if (definition.options.ordering === 'none' || sinceMs === undefined || isLastingTold === true)
    return undefined;
  return nowMs - sinceMs < LASTING_MS ? undefined : { kind: 'tell-overflow-lasts', sinceMs };
}

/**
 * A mark that outlives its queue would hold its group back until it expires: the record was never put, or is given up. One of
 * a put that began after the first look at the empty queue may still have its record come.
 */
function planAbandoning(
  { definition }: Task,
  emptyAtMs: number,
  { areGroupsAbandoned }: Seen,
): Step | undefined {
  if (definition.options.ordering === 'none' || areGroupsAbandoned === true) return undefined;
  return { kind: 'abandon-groups', putBeforeMs: emptyAtMs };
}

function isFilled({ overflowing }: Task, { waiting, inFlight }: NonNullable<Seen['backlog']>): boolean {
  return overflowing === true || waiting + inFlight > 0;
}

import type { SessionPathSpecs } from '../../domain/tasks/resource-specs.ts';
import type { StatusReason, Task } from '../../domain/tasks/task.ts';
import { buffersWhilePaused } from '../../domain/tasks/task-lifecycle.ts';
import { planHold } from './converge-hold.ts';
import { planOverflow, planOverflowRecord } from './converge-overflow.ts';
import type { Seen, Step } from './converge-plan.ts';
import { planForwarded, planForwarding } from './converge-plan-pull.ts';
import {
  awaitIdle,
  awaitMapping,
  isStable,
  planMapping,
  planQueue,
  type SeenMapping,
} from './converge-plan-queue.ts';
import {
  areEffective,
  isLive,
  planClearing,
  planFewerLanes,
  planStop,
  planTelling,
} from './converge-shift.ts';

const LANES_POLL_MS = 2_000;
/** A broker that does not answer must not keep a task from being edited: its session holds what comes, as long as it can. */
export const BUFFERING_PATIENCE_MS = 60_000;

const NOT_BUFFERING: Omit<StatusReason, 'at'> = {
  code: 'SESSION_NOT_BUFFERING',
  message:
    'nothing is carried any more, but a session is not connected: what is published waits at the broker, not here',
  hint: "Look at the source's address, credentials and certificate. The broker keeps only so many messages for a session.",
};
/** Said of a task that is paused, and that another look may leave as they are. */
const SAID_OF_PAUSED: readonly (string | undefined)[] = [NOT_BUFFERING.code, 'BUFFER_EXPIRING'];

/**
 * The next step of a task of the session path: queue and mapping for overflow and pauses, and an entry in the roster of
 * shifts. That it runs is told by its lanes.
 */
export function planSessionTask(task: Task, specs: SessionPathSpecs, seen: Seen, nowMs: number): Step {
  const queue = planQueue(task, specs, seen);
  if ('step' in queue) return queue.step;
  return task.desired === 'running'
    ? planRunning(task, specs, queue.mapping, seen, nowMs)
    : planPaused(task, specs, queue.mapping, seen, nowMs);
}

function planRunning(
  task: Task,
  specs: SessionPathSpecs,
  mapping: SeenMapping,
  seen: Seen,
  nowMs: number,
): Step {
  return (
    planOverflowRecord(task, seen) ??
    planForwarding(task, 'session', seen, nowMs) ??
    planHold(task, mapping, seen, nowMs) ??
    planOverflow(task, specs, mapping, seen, nowMs) ??
    planForwarded(task, seen, nowMs) ??
    (isHindered(task) && seen.units !== 'refused' ? { kind: 'end-hindrance' } : { kind: 'done' })
  );
}

/** Converge itself has said so: the mapping of the overflow could not be had. Lanes leave that alone. */
function isHindered({ status, reason }: Task): boolean {
  return status === 'degraded' && reason?.about === undefined;
}

function planPaused(
  task: Task,
  specs: SessionPathSpecs,
  mapping: SeenMapping,
  seen: Seen,
  nowMs: number,
): Step {
  const buffers = buffersWhilePaused(task);
  const disabling = planMapping(task, specs, mapping, false);
  // A change of the mapping that is under way must not keep lanes from being told.
  if (disabling !== undefined && isStable(mapping)) return disabling;
  return (
    (buffers ? planTelling(task, 'session', 'buffer', nowMs) : planSilence(task, seen, nowMs)) ??
    disabling ??
    awaitMapping(mapping, 'Disabled') ??
    awaitIdle(task, seen, nowMs) ??
    (task.resources.overflow && { kind: 'end-overflow' }) ??
    (buffers ? planBuffered(task, seen, nowMs) : planPausedRecord(task, undefined))
  );
}

function planSilence(task: Task, seen: Seen, nowMs: number): Step | undefined {
  return task.definition.options.whilePaused === 'discard'
    ? planClearing(task, 'discard', seen, nowMs)
    : planStop(task, seen, nowMs);
}

/** Paused is the task when no lane forwards any more; with a word of warning where not every lane is connected by then. */
function planBuffered(task: Task, seen: Seen, nowMs: number): Step {
  const { shift } = task.resources;
  if (shift === undefined) return planPausedRecord(task, undefined);
  const fewer = planFewerLanes(task, seen, nowMs);
  if (fewer !== undefined) return fewer;
  const { lanes } = seen;
  if (lanes === undefined) return { kind: 'look-at-lanes' };
  if (areEffective(shift, lanes)) return planPausedRecord(task, undefined);
  const stillForwards = lanes.some(
    (lane) => isLive(lane, nowMs) && (lane.state?.mode !== 'buffer' || lane.state.version < shift.version),
  );
  if (stillForwards || nowMs - shift.sinceMs < BUFFERING_PATIENCE_MS)
    return { kind: 'wait', waitMs: LANES_POLL_MS };
  return planPausedRecord(task, NOT_BUFFERING);
}

function planPausedRecord(
  { status, observedVersion, version, reason: said }: Task,
  reason: Omit<StatusReason, 'at'> | undefined,
): Step {
  const isSaid =
    reason === undefined ? said?.code !== NOT_BUFFERING.code : SAID_OF_PAUSED.includes(said?.code);
  if (status === 'paused' && observedVersion === version && isSaid) return { kind: 'done' };
  return { kind: 'record-status', status: 'paused', ...(reason === undefined ? {} : { reason }) };
}

import type { ShiftRecord, Task } from '../../domain/tasks/task.ts';
import type { Seen, Step } from './converge-plan.ts';
import { planFewerLanes, planStop, planTelling, type ShiftStep } from './converge-shift.ts';

/**
 * The next step of a task of the pull path: it has nothing in the cloud but an entry in the roster of shifts. That it runs
 * is told by its lanes; it is paused when nobody works on it any more.
 */
export function planPullTask(task: Task, seen: Seen, nowMs: number): Step {
  if (task.desired === 'running') {
    return planForwarding(task, 'pull', seen, nowMs) ?? planForwarded(task, seen, nowMs) ?? { kind: 'done' };
  }
  return planStop(task, seen, nowMs) ?? planPausedRecord(task);
}

/** The step towards shifts carrying the task's messages: `starting` is recorded before, since lanes go on from there. */
export function planForwarding(
  task: Task,
  kind: ShiftRecord['kind'],
  seen: Seen,
  nowMs: number,
): Step | undefined {
  const { shift } = task.resources;
  const forwards = shift?.mode === 'forward' && shift.isTold;
  // A task that failed in a lane waits for its user; what converge could not do is tried again.
  if (task.status === 'creating' || (task.status === 'failed' && !forwards)) {
    return { kind: 'record-status', status: 'starting' };
  }
  const isStartedAnew = task.status === 'starting' && forwards && shift.sinceMs < Date.parse(task.updatedAt);
  // Lanes that gave up come to life again only as new ones.
  if (isStartedAnew || shift?.mode === 'none') {
    const stop: ShiftStep | undefined = planStop(task, seen, nowMs);
    if (stop !== undefined) return stop;
  }
  return planTelling(task, kind, 'forward', nowMs);
}

/** What is left to do when shifts carry the messages. */
export function planForwarded(task: Task, seen: Seen, nowMs: number): Step | undefined {
  const fewer = planFewerLanes(task, seen, nowMs);
  if (fewer !== undefined) return fewer;
  return task.observedVersion === task.version ? undefined : { kind: 'record-version' };
}

function planPausedRecord({ status, observedVersion, version }: Task): Step {
  return status === 'paused' && observedVersion === version
    ? { kind: 'done' }
    : { kind: 'record-status', status: 'paused' };
}

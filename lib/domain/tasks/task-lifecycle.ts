import { taskDeleting, taskRunning, versionMismatch } from '../errors/request-errors.ts';
import type { DesiredState, Task, TaskDefinition, TaskStatus } from './task.ts';
import { pathOf } from './task-path.ts';

/** Which status may follow which. Staying is always allowed. */
export const STATUS_MOVES: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  creating: ['paused', 'starting', 'failed'],
  starting: ['running', 'degraded', 'pausing', 'failed'],
  running: ['degraded', 'pausing', 'failed'],
  degraded: ['running', 'pausing', 'failed'],
  pausing: ['paused', 'starting', 'failed'],
  paused: ['starting', 'deleting', 'failed'],
  // What failed goes on where it stood once its cause is gone.
  failed: ['creating', 'starting', 'running', 'pausing', 'paused', 'deleting'],
  // Back to paused: a deletion that met a backlog nobody allowed to discard.
  deleting: ['paused', 'failed'],
};

/** The statuses a task can have while this is wanted; any other was true of an earlier wish and must not be recorded. */
export const STATUSES_WHILE: Readonly<Record<DesiredState, readonly TaskStatus[]>> = {
  running: ['creating', 'starting', 'running', 'degraded', 'failed'],
  paused: ['creating', 'pausing', 'paused', 'failed'],
  deleted: ['deleting', 'failed'],
};

/** What may be wanted while a task has this status. */
export function wishesFor(status: TaskStatus): DesiredState[] {
  const wishes: DesiredState[] = ['running', 'paused', 'deleted'];
  return wishes.filter((desired) => STATUSES_WHILE[desired].includes(status));
}

/** A task that is not wanted running can be edited in these: converge is then the only one that works on it. */
export const EDITABLE_STATUSES: readonly TaskStatus[] = ['creating', 'paused', 'failed'];

export function mayMove(from: TaskStatus, to: TaskStatus): boolean {
  return from === to || STATUS_MOVES[from].includes(to);
}

/**
 * The status that a change of what is wanted brings about at once, before converge has done anything.
 * A task still being created stays `creating`: converge goes on from there to what is wanted by then.
 */
export function statusAfter(status: TaskStatus, desired: DesiredState): TaskStatus {
  if (desired === 'deleted') return 'deleting';
  if (status === 'creating') return 'creating';
  return desired === 'running' ? 'starting' : 'pausing';
}

/** Whether a task that is paused has what is published meanwhile kept. One that was never started buffers nothing. */
export function buffersWhilePaused({
  startedAt,
  definition,
}: Pick<Task, 'startedAt' | 'definition'>): boolean {
  return startedAt !== undefined && definition.options.whilePaused === 'buffer';
}

/** Concurrency units that a task reserves of the stack's: on the rule path its mapping's maximum, while it is wanted running. */
export function reservedUnits(definition: TaskDefinition, desired: DesiredState): number {
  return desired === 'running' && pathOf(definition) === 'rule' ? definition.options.concurrency : 0;
}

/** What has to be written so that a task is wanted in another way. Its reason, which told of the old status, goes. */
export interface DesiredPlan {
  changes: Pick<Task, 'desired' | 'status' | 'updatedAt' | 'startedAt' | 'discardBacklog'>;
  /** Concurrency units to reserve (positive) or to give back (negative). */
  reserve: number;
}

/**
 * Decides a change of what is wanted. Undefined: it is wanted already, nothing is to be written. Starting a failed task
 * that is wanted running is a new try, so its status changes though its wish does not; a deletion that is under way learns that
 * it may throw away what waits.
 *
 * Throws `RequestError`: `TASK_DELETING` 409, `VERSION_MISMATCH` 412, `TASK_RUNNING` 409 (deletion needs paused or failed).
 *
 * @param held - concurrency units the task holds now
 */
export function planDesired(
  task: Task,
  change: { desired: DesiredState; at: string; expectedVersion?: number; discardBacklog?: boolean },
  held: number,
): DesiredPlan | undefined {
  const { desired, at } = change;
  if (task.desired === 'deleted' && desired !== 'deleted') throw taskDeleting(task.taskId);
  checkVersion(task, change.expectedVersion);
  if (task.desired === desired && !saysMore(task, change)) return undefined;
  if (desired === 'deleted' && task.desired !== 'deleted' && !isDeletable(task))
    throw taskRunning(task, 'a deletion');
  return {
    changes: {
      desired,
      status: statusAfter(task.status, desired),
      updatedAt: at,
      ...(desired === 'running' && task.startedAt === undefined ? { startedAt: at } : {}),
      ...(desired === 'deleted' && change.discardBacklog === true ? { discardBacklog: true } : {}),
    },
    reserve: reservedUnits(task.definition, desired) - held,
  };
}

/** What is wanted already is wanted anew: a new try of what failed, or a deletion that now may throw away what waits. */
function saysMore(
  { status, discardBacklog }: Task,
  change: { desired: DesiredState; discardBacklog?: boolean },
): boolean {
  if (change.desired === 'running') return status === 'failed';
  return change.desired === 'deleted' && change.discardBacklog === true && discardBacklog !== true;
}

/**
 * Whether the definition may be replaced now. Throws `RequestError`: `TASK_DELETING` 409, `VERSION_MISMATCH` 412,
 * `TASK_RUNNING` 409.
 */
export function checkEditable(task: Task, expectedVersion: number): void {
  if (task.desired === 'deleted') throw taskDeleting(task.taskId);
  checkVersion(task, expectedVersion);
  if (task.desired === 'running' || !EDITABLE_STATUSES.includes(task.status))
    throw taskRunning(task, 'an edit');
}

function isDeletable(task: Task): boolean {
  return task.status === 'failed' || (task.status === 'paused' && task.desired === 'paused');
}

function checkVersion(task: Task, expectedVersion: number | undefined): void {
  if (expectedVersion === undefined || expectedVersion === task.version) return;
  throw versionMismatch(`task ${task.taskId}`, task.version);
}

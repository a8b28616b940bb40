import type { ResourceSpecs } from '../../domain/tasks/resource-specs.ts';
import type { StatusReason, Task, TaskResources } from '../../domain/tasks/task.ts';
import type { Mapping } from '../../ports/event-source-mappings.ts';
import type { LaneRecord } from '../../ports/lane-leases.ts';
import type { TargetAnswer } from '../../ports/target-probe.ts';
import type { QueueBacklog } from '../../ports/task-queues.ts';
import { type HoldStep, isHoldDue } from './converge-hold.ts';
import type { OverflowStep } from './converge-overflow.ts';
import { planPullTask } from './converge-plan-pull.ts';
import { planRuleTask } from './converge-plan-rule.ts';
import { planSessionTask } from './converge-plan-session.ts';
import { type PlanTimes, planRemoval, type RemovalStep } from './converge-removal.ts';
import { nextRuleToDelete, type RuleStep } from './converge-rules.ts';
import { planClearing, type ShiftStep } from './converge-shift.ts';

/** What was looked at since the last change or wait. Absent: not looked at. */
export interface Seen {
  mapping?: Pick<Mapping, 'state'>;
  backlog?: QueueBacklog;
  lanes?: readonly LaneRecord[];
  /** Whether the units of the overflow's mapping are the task's. */
  units?: 'held' | 'refused';
  /** Marks of groups that have nothing in the queue are ended. */
  areGroupsAbandoned?: boolean;
  /** The queue's name was looked up: none of that name exists, or it is recorded now. */
  queueLookedUp?: boolean;
  /** What the target said when it was asked. */
  target?: TargetAnswer;
}

/** One step of converge: at most one change in the cloud, then one record in the table. */
export type Step =
  | RuleStep
  | ShiftStep
  | RemovalStep
  | OverflowStep
  | HoldStep
  | { kind: 'ensure-queue' }
  | { kind: 'announce-mapping' }
  | { kind: 'create-mapping' }
  | { kind: 'look-at-mapping' }
  | { kind: 'update-mapping'; enabled: boolean }
  | { kind: 'look-at-backlog' }
  | { kind: 'settle-rules' }
  | {
      kind: 'record-status';
      status: 'starting' | 'running' | 'paused';
      /** What to mind, though it is as wanted. */
      reason?: Omit<StatusReason, 'at'>;
    }
  /** The definition is carried out, the status is others' to tell. */
  | { kind: 'record-version' }
  /** The reason that converge gave a task whose messages are carried all the same. */
  | { kind: 'end-hindrance' }
  | { kind: 'wait'; waitMs: number }
  | { kind: 'done' };

/** The next step towards a task that is wanted running or paused, from what was recorded and what was seen. */
export function planNext(task: Task, specs: ResourceSpecs, seen: Seen, times: PlanTimes): Step {
  const leftover = planLeftovers(task, specs, seen, times);
  if (leftover !== undefined) return leftover;
  switch (specs.path) {
    case 'rule':
      return planRuleTask(task, specs, seen, times.nowMs);
    case 'session':
      return planSessionTask(task, specs, seen, times.nowMs);
    case 'pull':
      return planPullTask(task, seen, times.nowMs);
  }
}

/** What an edit has left of another path, another source, or another kind of queue. */
function planLeftovers(task: Task, specs: ResourceSpecs, seen: Seen, times: PlanTimes): Step | undefined {
  const { resources, definition } = task;
  const { shift } = resources;
  const isShiftLeft =
    shift !== undefined &&
    (shift.kind !== specs.path || shift.sourceClusterId !== definition.source.clusterId);
  if (isQueueLeft(resources, specs)) return planRemoval(task, seen, times, { endsSession: isShiftLeft });
  const rule = specs.path === 'rule' ? undefined : nextRuleToDelete(resources);
  return rule ?? (isShiftLeft ? planClearing(task, 'end', seen, times.nowMs) : undefined);
}

function isQueueLeft({ queue, mapping, mappingRequestedAtMs }: TaskResources, specs: ResourceSpecs): boolean {
  if (specs.path === 'pull') {
    return queue !== undefined || mapping !== undefined || mappingRequestedAtMs !== undefined;
  }
  return queue !== undefined && !queue.arn.endsWith(`:${specs.queue.name}`);
}

/** What is seen of a task that is as it is wanted, running or paused. */
function asWanted({ desired, definition, resources: { shift, hold } }: Task): Seen {
  const isHeld = hold !== undefined;
  const isPaused = desired === 'paused' || definition.options.via === 'session' || isHeld;
  const lanes = Array.from({ length: shift?.mode === 'none' ? 0 : (shift?.lanes ?? 0) }, (_, lane) => ({
    taskId: '',
    lane,
    epoch: 0,
    ...(shift === undefined || shift.mode === 'none'
      ? {}
      : { state: { mode: shift.mode, version: shift.version, isEffective: true } }),
  }));
  return {
    mapping: { state: isPaused ? 'Disabled' : 'Enabled' },
    backlog: { waiting: 0, inFlight: 0 },
    lanes,
    target: 'unknown',
  };
}

/**
 * Whether a task may need converge at all, told by the table alone: whether anything would be left to do if the cloud were
 * as recorded. A failed task waits for its user or the audit.
 */
export function needsConverge(task: Task, specs: ResourceSpecs): boolean {
  if (task.status === 'failed') return false;
  if (task.desired === 'deleted') return true;
  const times = { nowMs: 0, settlingMs: 0, countLagMs: 0 };
  const seen = asWanted(task);
  if (!isOverflowWatched(task)) return planNext(task, specs, seen, times).kind !== 'done';
  // As if the overflow waited for units: what has to be done about it, looks at the queue tell.
  const draining = { ...task, resources: { ...task.resources, overflow: {} } };
  const waiting: Seen = { ...seen, backlog: { waiting: 1, inFlight: 0 }, units: 'refused' };
  return planNext(draining, specs, waiting, times).kind !== 'done';
}

/**
 * Whether a task that is as wanted has to be looked at all the same: its overflow ends by looks at its queue, and a target that is
 * away has to be asked.
 */
export function isWatched(task: Task, nowMs: number): boolean {
  return isOverflowWatched(task) || isHoldDue(task, nowMs);
}

function isOverflowWatched({ status, desired, resources, overflowing }: Task): boolean {
  if (status === 'failed' || desired !== 'running') return false;
  return overflowing === true || resources.overflow !== undefined;
}

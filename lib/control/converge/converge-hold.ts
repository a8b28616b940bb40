import type { StatusReason, Task } from '../../domain/tasks/task.ts';
import type { NewTaskEvent } from '../../domain/tasks/task-events.ts';
import { pathOf } from '../../domain/tasks/task-path.ts';
import type { Seen } from './converge-plan.ts';
import type { SeenMapping } from './converge-plan-queue.ts';

/** So long a target may be away before nothing is tried any more but to ask it. */
export const HOLD_AFTER_MS = 10 * 60_000;
const HOLDING = { code: 'HOLDING' } as const;

export type HoldStep =
  /** Has the probe ask the target. */
  | { kind: 'ask-target' }
  /** From here on the mapping is wanted disabled. */
  | { kind: 'begin-hold' }
  | { kind: 'end-hold' };

/**
 * The step about a target that is away for long. While it does not even answer a question, the mapping is disabled: the messages
 * wait in the queue without being received in vain. It is asked at each look; when it answers, or the data plane has
 * something through, the mapping is enabled again. A target that answers and takes nothing goes on being tried.
 */
export function planHold(
  task: Task,
  mapping: SeenMapping,
  { target }: Seen,
  nowMs: number,
): HoldStep | undefined {
  const { hold } = task.resources;
  if (hold !== undefined && !isAway(task)) return { kind: 'end-hold' };
  // Asked once a look, not while the mapping is on its way.
  if (
    hold === undefined ? mapping.state !== 'Enabled' || !isDue(task, nowMs) : mapping.state !== 'Disabled'
  ) {
    return undefined;
  }
  if (target === undefined) return { kind: 'ask-target' };
  if (hold === undefined) return target === 'away' ? { kind: 'begin-hold' } : undefined;
  return target === 'answers' ? { kind: 'end-hold' } : undefined;
}

/** Whether a task that is as wanted has to be looked at because its target is away. */
export function isHoldDue(task: Task, nowMs: number): boolean {
  return task.desired === 'running' && (task.resources.hold !== undefined || isDue(task, nowMs));
}

/** The status still says so, and the mapping is enabled: the data plane tells from here on. */
export function isHoldOver({ status, reason, resources }: Task): boolean {
  return status === 'degraded' && reason?.code === HOLDING.code && resources.hold === undefined;
}

function isAway({ status, reason }: Task): boolean {
  return status === 'degraded' && reason?.about === 'target';
}

/** Of a session the reason may be its broker's: that its lanes go round RocketMQ says that RocketMQ is meant. */
function isDue(task: Task, nowMs: number): boolean {
  const { definition, reason, resources, overflowing } = task;
  if (!isAway(task) || resources.mapping?.enabled !== true) return false;
  if (pathOf(definition) === 'session' && overflowing !== true) return false;
  return nowMs - Date.parse(reason?.at ?? '') >= HOLD_AFTER_MS;
}

/** @param since - ISO 8601: since when the target is away */
export function holdingReason(
  since: string,
  { code, message }: Pick<StatusReason, 'code' | 'message'>,
): StatusReason {
  return {
    ...HOLDING,
    message: `the target does not answer since ${since} (${code}: ${message}): messages wait in the task's queue, and it is asked each minute`,
    hint: 'Bring the target back: the messages then go on by themselves. They wait up to 14 days.',
    at: since,
    about: 'target',
  };
}

export function holdingEvent({ message }: Pick<StatusReason, 'message'>): Omit<NewTaskEvent, 'at'> {
  return { ...HOLDING, message };
}

export function holdEndedEvent(sinceMs: number): Omit<NewTaskEvent, 'at'> {
  const since = new Date(sinceMs).toISOString();
  return {
    code: 'HOLDING_ENDED',
    message: `what waited since ${since} is carried again`,
    details: { since },
  };
}

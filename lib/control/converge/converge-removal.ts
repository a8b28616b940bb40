import type { Task, TaskResources } from '../../domain/tasks/task.ts';
import { pathOf } from '../../domain/tasks/task-path.ts';
import type { Seen } from './converge-plan.ts';
import { nextRuleToDelete, type RuleStep } from './converge-rules.ts';
import { planClearing, planStop, type ShiftStep } from './converge-shift.ts';

/** Steps that take a task's queue away, and all that puts messages into it. */
export type RemovalStep =
  | RuleStep
  | ShiftStep
  | { kind: 'note-inflow-ended' }
  | { kind: 'find-queue' }
  | { kind: 'find-mapping' }
  | { kind: 'look-at-mapping' }
  | { kind: 'look-at-backlog' }
  | { kind: 'delete-mapping' }
  /** `discarded`: approximate number of messages that go with it. */
  | { kind: 'delete-queue'; discarded: number }
  /** Messages wait that nobody allowed to discard: the queue stays. */
  | { kind: 'keep-backlog'; messages: number };

const MAPPING_POLL_MS = 3_000;

/** How long things take in the cloud, and what time it is. */
export interface PlanTimes {
  nowMs: number;
  /** Messages may still be on their way from a rule to the queue. */
  settlingMs: number;
  /** SQS's counts may lag a minute behind the last message (its documentation); until then an empty queue may not be. */
  countLagMs: number;
}

/**
 * The next step of removing rules, lanes, mapping and queue; undefined when they are gone. Rules; lanes stop, their
 * sessions stay; a settling wait; the backlog counted again; sessions end; mapping until it is gone; the backlog once more;
 * queue. Where the backlog may be discarded, and where nothing was ever started, its count need not be waited for.
 *
 * @param options.endsSession - false: what the task has at its source stays for it
 */
export function planRemoval(
  task: Task,
  seen: Seen,
  { nowMs, settlingMs, countLagMs }: PlanTimes,
  { endsSession }: { endsSession: boolean },
): RemovalStep | undefined {
  const { resources } = task;
  const rule = nextRuleToDelete(resources);
  if (rule !== undefined) return rule;
  const end = () => (endsSession ? planClearing(task, 'end', seen, nowMs) : undefined);
  if (!mayHaveQueue(task)) return end();
  const countMatters = task.startedAt !== undefined && task.discardBacklog !== true;
  if (resources.inflowEndedAtMs === undefined) {
    return planStop(task, seen, nowMs) ?? { kind: 'note-inflow-ended' };
  }
  const waitMs = countMatters ? Math.max(settlingMs, countLagMs) : settlingMs;
  const leftMs = resources.inflowEndedAtMs + waitMs - nowMs;
  if (leftMs > 0) return { kind: 'wait', waitMs: leftMs };
  if (resources.queue === undefined && !seen.queueLookedUp) return { kind: 'find-queue' };
  if (resources.queue !== undefined && seen.backlog === undefined) return { kind: 'look-at-backlog' };
  const messages = seen.backlog === undefined ? 0 : seen.backlog.waiting + seen.backlog.inFlight;
  if (messages > 0 && task.discardBacklog !== true) return { kind: 'keep-backlog', messages };
  return (
    end() ??
    planMapping(resources, seen) ??
    (resources.queue && { kind: 'delete-queue', discarded: messages })
  );
}

/** A pull task has one only if it was of another path before. */
function mayHaveQueue({ definition, resources }: Task): boolean {
  const { queue, mapping, mappingRequestedAtMs } = resources;
  const isRecorded = queue !== undefined || mapping !== undefined || mappingRequestedAtMs !== undefined;
  return isRecorded || pathOf(definition) !== 'pull';
}

function planMapping({ mapping, mappingRequestedAtMs }: TaskResources, seen: Seen): RemovalStep | undefined {
  if (mapping === undefined) return mappingRequestedAtMs === undefined ? undefined : { kind: 'find-mapping' };
  if (seen.mapping === undefined) return { kind: 'look-at-mapping' };
  const stable = seen.mapping.state === 'Enabled' || seen.mapping.state === 'Disabled';
  return stable ? { kind: 'delete-mapping' } : { kind: 'wait', waitMs: MAPPING_POLL_MS };
}

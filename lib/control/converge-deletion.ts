import type { Task } from '../domain/task.ts';
import type { Seen } from './converge-plan.ts';
import { nextRuleToDelete, type RuleStep } from './converge-rules.ts';

/** What a deletion has found out since the last wait. */
export interface SeenInDeletion extends Seen {
  /** The queue's name was looked up: none of that name exists, or it is recorded now. */
  queueLookedUp?: boolean;
}

export type DeletionStep =
  | RuleStep
  | { kind: 'note-rules-gone' }
  | { kind: 'find-queue' }
  | { kind: 'find-mapping' }
  | { kind: 'look-at-mapping' }
  | { kind: 'look-at-backlog' }
  | { kind: 'delete-mapping' }
  /** `discarded`: approximate number of messages that go with it. */
  | { kind: 'delete-queue'; discarded: number }
  | { kind: 'cancel-deletion'; messages: number }
  | { kind: 'remove' }
  | { kind: 'wait'; waitMs: number };

const MAPPING_POLL_MS = 3_000;

export interface DeletionTimes {
  nowMs: number;
  /** Messages may still be on their way from a rule to the queue. */
  settlingMs: number;
  /** SQS's counts may lag a minute behind the last message (its documentation); until then an empty queue may not be. */
  countLagMs: number;
}

/**
 * The next step of a deletion: rules, a settling wait, the backlog counted again, mapping until it is gone, the backlog
 * once more, queue, record. Where the backlog may be discarded, and where no rule was ever enabled, its count need not
 * be waited for.
 */
export function planDeletion(
  task: Task,
  seen: SeenInDeletion,
  { nowMs, settlingMs, countLagMs }: DeletionTimes,
): DeletionStep {
  const { resources } = task;
  const rule = nextRuleToDelete(resources);
  if (rule !== undefined) return rule;
  if (resources.rulesGoneAtMs === undefined) return { kind: 'note-rules-gone' };
  const countMatters = task.startedAt !== undefined && task.discardBacklog !== true;
  const waitMs = countMatters ? Math.max(settlingMs, countLagMs) : settlingMs;
  const leftMs = resources.rulesGoneAtMs + waitMs - nowMs;
  if (leftMs > 0) return { kind: 'wait', waitMs: leftMs };
  if (resources.queue === undefined && !seen.queueLookedUp) return { kind: 'find-queue' };
  if (resources.queue !== undefined && seen.backlog === undefined) return { kind: 'look-at-backlog' };
  const messages = seen.backlog === undefined ? 0 : seen.backlog.waiting + seen.backlog.inFlight;
  if (messages > 0 && task.discardBacklog !== true) return { kind: 'cancel-deletion', messages };
  const mapping = planMapping(task, seen);
  if (mapping !== undefined) return mapping;
  return resources.queue === undefined ? { kind: 'remove' } : { kind: 'delete-queue', discarded: messages };
}

function planMapping(task: Task, seen: SeenInDeletion): DeletionStep | undefined {
  const { mapping, mappingRequestedAtMs } = task.resources;
  if (mapping === undefined) return mappingRequestedAtMs === undefined ? undefined : { kind: 'find-mapping' };
  if (seen.mapping === undefined) return { kind: 'look-at-mapping' };
  const stable = seen.mapping.state === 'Enabled' || seen.mapping.state === 'Disabled';
  return stable ? { kind: 'delete-mapping' } : { kind: 'wait', waitMs: MAPPING_POLL_MS };
}

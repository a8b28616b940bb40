import type { Task } from '../../domain/tasks/task.ts';
import type { Seen } from './converge-plan.ts';
import { type PlanTimes, planRemoval, type RemovalStep } from './converge-removal.ts';

export type DeletionStep =
  | Exclude<RemovalStep, { kind: 'keep-backlog' }>
  | { kind: 'cancel-deletion'; messages: number }
  | { kind: 'remove' };

/** The next step of a deletion: everything that was made for the task, then its record. */
export function planDeletion(task: Task, seen: Seen, times: PlanTimes): DeletionStep {
  const step = planRemoval(task, seen, times, { endsSession: true }) ?? { kind: 'remove' };
  return step.kind === 'keep-backlog' ? { kind: 'cancel-deletion', messages: step.messages } : step;
}

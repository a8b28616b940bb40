import { renderResourceSpecs } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { DeletionStep } from './converge-deletion.ts';
import type { Step } from './converge-plan.ts';
import { performRemovalStep } from './converge-removal-steps.ts';
import { performRuleStep } from './converge-rule-steps.ts';
import { performShiftStep } from './converge-shift-steps.ts';
import { performOwnStep, type StepContext, type StepOutcome } from './converge-steps.ts';

/** Steps that change the cloud, the roster of shifts or the record; the others are for who holds the lease. */
export type PerformableStep = Exclude<
  Step | DeletionStep,
  { kind: 'wait' | 'done' | 'keep-backlog' | 'cancel-deletion' | 'remove' | 'hold-units' | 'end-overflow' }
>;

/** Performs one step. Every step may be repeated after a crash. */
export function performStep(step: PerformableStep, task: Task, context: StepContext): Promise<StepOutcome> {
  switch (step.kind) {
    case 'unsettle-rules':
    case 'announce-rule':
    case 'create-rule':
    case 'replace-rule':
    case 'set-rule':
    case 'delete-rule':
      return performRuleStep(step, task, context);
    case 'announce-shift':
    case 'tell-shift':
    case 'look-at-lanes':
    case 'forget-lanes':
    case 'forget-shift':
      return performShiftStep(step, task, context);
    case 'note-inflow-ended':
    case 'find-queue':
    case 'find-mapping':
    case 'delete-mapping':
    case 'delete-queue':
      return performRemovalStep(step, task, context);
    default:
      return performOwnStep(step, task, renderResourceSpecs(task, context.settings), context);
  }
}

import type { ShiftRecord, Task } from '../../domain/tasks/task.ts';
import type { NewTaskEvent } from '../../domain/tasks/task-events.ts';
import type { ShiftKind } from '../../ports/shifts.ts';
import { entryOf, isLive, type ShiftStep } from './converge-shift.ts';
import { record, type Shifts, type StepContext, type StepOutcome, without } from './converge-steps.ts';

/** Performs one step that concerns shifts. Every step may be repeated after a crash. */
export async function performShiftStep(
  step: Exclude<ShiftStep, { kind: 'wait' }>,
  task: Task,
  { shifts, clock }: Pick<StepContext, 'shifts' | 'clock'>,
): Promise<StepOutcome> {
  const { taskId, resources } = task;
  switch (step.kind) {
    case 'announce-shift': {
      const { mode } = step.shift;
      const flows = mode === 'forward' || mode === 'buffer';
      const rest = flows ? without(resources, 'inflowEndedAtMs') : resources;
      return {
        ...record({ ...rest, shift: step.shift }),
        ...(step.gaveUpOn === undefined ? {} : { event: gaveUpEvent(step.gaveUpOn) }),
      };
    }
    case 'tell-shift': {
      if (resources.shift === undefined) return {};
      await tell(taskId, resources.shift, shifts, clock.now());
      const shift = { ...resources.shift, isTold: true };
      return { ...record({ ...resources, shift }), seen: { lanes: undefined } };
    }
    case 'look-at-lanes':
      return { seen: { lanes: await shifts.lanes.list(taskId) } };
    case 'forget-lanes': {
      if (resources.shift === undefined) return {};
      await shifts.lanes.forget(taskId, resources.shift.lanes);
      return { seen: { lanes: undefined } };
    }
    case 'forget-shift':
      await shifts.lanes.forget(taskId, 0);
      return record(without(resources, 'shift'));
  }
}

/**
 * Starts a shift where nobody works; answers whether it did. Shifts that are there look at the roster each second.
 *
 * @param options.onlyKilled - not where the last one has ended by itself, as idle ones do
 */
export async function wakeShift(
  kind: ShiftKind,
  { slots, starter }: Pick<Shifts, 'slots' | 'starter'>,
  nowMs: number,
  { onlyKilled }: { onlyKilled: boolean } = { onlyKilled: false },
): Promise<boolean> {
  const records = await slots.list(kind);
  if (records.some((slot) => isLive(slot, nowMs))) return false;
  if (onlyKilled && records.every(({ owner }) => owner === undefined)) return false;
  await starter.start(kind);
  return true;
}

async function tell(taskId: string, shift: ShiftRecord, shifts: Shifts, nowMs: number): Promise<void> {
  const { kind } = shift;
  const entry = entryOf(taskId, shift);
  if (entry === undefined) return shifts.roster.remove(kind, taskId);
  await shifts.roster.put(kind, entry);
  await wakeShift(kind, shifts, nowMs);
}

function gaveUpEvent(mode: 'discard' | 'end'): Omit<NewTaskEvent, 'at'> {
  const what =
    mode === 'discard'
      ? 'the source did not take back the subscriptions in two minutes: what is published meanwhile may come after the start'
      : 'the source did not end what the task has there in two minutes: a session or consumer group may be left on it';
  return { code: 'SOURCE_NOT_CLEARED', message: what, details: { mode } };
}

import type { StatusReason, Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LaneLeases, LaneRecord } from '../../ports/lane-leases.ts';

/** Clocks differ, and the next owner of a lane needs a moment. */
const GRACE_MS = 2_000;

const NO_SHIFT: Omit<StatusReason, 'at'> = {
  code: 'NO_SHIFT',
  message: 'no shift works on this task any more: the one that did has ended without handing over',
  hint: 'The schedule begins another within a minute, and nothing is lost. If this stays, look at the log of the function that carries this direction.',
};

/**
 * The task as it is at this moment. What a shift says of itself may be as old as its lease: a task whose shift was ended by
 * force is `degraded`, reason `NO_SHIFT`, from two seconds after its lease has run out, whatever is stored.
 */
export type LiveStatus = (task: Task) => Promise<Task>;

export function createLiveStatus({
  leases,
  clock,
}: {
  leases: Pick<LaneLeases, 'list'>;
  clock: Pick<Clock, 'now'>;
}): LiveStatus {
  return async (task) => {
    const { shift } = task.resources;
    if (task.status !== 'running' || shift?.mode !== 'forward') return task;
    const lanes = (await leases.list(task.taskId)).filter(({ lane }) => lane < shift.lanes);
    const leftMs = clock.now() - GRACE_MS;
    const isAttended = lanes.length === shift.lanes && lanes.every((lane) => endOf(lane) > leftMs);
    if (isAttended) return task;
    const lastEndMs = Math.max(...lanes.map(endOf), 0);
    return { ...task, status: 'degraded', reason: { ...NO_SHIFT, at: new Date(lastEndMs).toISOString() } };
  };
}

/** A lane that was given back keeps the time until which it was leased: the next owner has as long to take it. */
function endOf({ expiresAtMs = 0 }: LaneRecord): number {
  return expiresAtMs;
}

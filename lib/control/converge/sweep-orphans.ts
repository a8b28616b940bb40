import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConvergeMemory } from '../../ports/converge-state.ts';
import type { Logger } from '../../ports/logger.ts';
import { SHIFT_KINDS, type ShiftKind, type ShiftRoster } from '../../ports/shifts.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { FoundResource, Inventory } from './sweep-inventory.ts';

/** Lists and table are read one after the other, and lists are behind: only what is seen again later is an orphan. */
const GRACE_MS = 5 * 60_000;
/** Of one item in the table. What is beyond is suspected at the next sweep. */
const MAX_SUSPECTS = 1_000;

export interface SweepResult {
  deleted: string[];
  /** To be handed to the next sweep. */
  suspects: ConvergeMemory['suspects'];
}

export type SweepOrphans = (input: {
  regions: readonly string[];
  suspects: ConvergeMemory['suspects'];
  deadlineMs: number;
}) => Promise<SweepResult>;

/**
 * Deletes what no task wants: rules, then mappings, then queues with our prefix *and* our tag, seen in two sweeps at least
 * five minutes apart; and what shifts were told of tasks that are not theirs. Crashes leave such things, and hands that
 * change the table.
 */
export function createSweepOrphans({
  tasks,
  inventory,
  roster,
  clock,
  logger,
}: {
  tasks: Pick<TaskStore, 'get'>;
  inventory: Inventory;
  roster: Pick<ShiftRoster, 'read' | 'remove'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): SweepOrphans {
  /** A task's record names the kind before its entry is made, so there is nothing to wait for. */
  async function sweepRoster(kind: ShiftKind): Promise<string[]> {
    const removed: string[] = [];
    for (const { taskId } of await roster.read(kind)) {
      if ((await tasks.get(taskId))?.resources.shift?.kind === kind) continue;
      await roster.remove(kind, taskId);
      removed.push(`roster entry ${kind}/${taskId}`);
      logger.warn('took a task from the roster', { kind, taskId });
    }
    return removed;
  }

  return async ({ regions, suspects, deadlineMs }) => {
    const known = new Map<string, Promise<Task | undefined>>();
    const taskOf = (taskId: string) => {
      const task = known.get(taskId) ?? tasks.get(taskId);
      known.set(taskId, task);
      return task;
    };
    const deleted: string[] = [];
    const next: Record<string, number> = {};
    let complete = true;

    async function judge(found: FoundResource): Promise<void> {
      const task = await taskOf(found.taskId);
      if (task !== undefined && found.isWantedBy(task)) return;
      if (!(await found.isOurs())) return;
      const firstSeenMs = suspects[found.id] ?? clock.now();
      if (clock.now() - firstSeenMs < GRACE_MS) {
        if (Object.keys(next).length < MAX_SUSPECTS) next[found.id] = firstSeenMs;
        return;
      }
      // Read anew: by now it may be converge that makes use of it.
      const current = await tasks.get(found.taskId);
      if (current !== undefined && found.isWantedBy(current)) return;
      next[found.id] = firstSeenMs;
      await found.delete();
      delete next[found.id];
      deleted.push(found.id);
      logger.warn('deleted an orphan', { resource: found.id, taskId: found.taskId });
    }

    for (const kind of SHIFT_KINDS) deleted.push(...(await sweepRoster(kind)));

    const lists = [
      ...regions.map((region) => () => inventory.rules(region)),
      () => inventory.mappings(),
      () => inventory.queues(),
    ];
    for (const list of lists) {
      const found = await unlessRefused(list, logger);
      complete &&= found !== undefined;
      for (const resource of found ?? []) {
        if (clock.now() >= deadlineMs) {
          complete = false;
          break;
        }
        if (!(await unlessRefused(() => judge(resource).then(() => true), logger))) complete = false;
      }
    }
    // What was not looked at this time stays under suspicion since when it was.
    const unseen = Object.entries(suspects).filter(([id]) => !deleted.includes(id));
    return { deleted, suspects: complete ? next : { ...Object.fromEntries(unseen), ...next } };
  };
}

/** One thing that the cloud refuses must not keep the sweep from the others. */
async function unlessRefused<T>(work: () => Promise<T>, logger: Logger): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ControlPlaneError)) throw error;
    logger.info('the sweep was refused something', { code: error.code });
    return undefined;
  }
}

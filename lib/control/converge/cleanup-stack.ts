import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { BucketCleaner } from '../../ports/bucket-cleaner.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConvergeState } from '../../ports/converge-state.ts';
import type { Logger } from '../../ports/logger.ts';
import { SHIFT_KINDS } from '../../ports/shifts.ts';
import type { StackStore } from '../../ports/stack-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import { isLive } from './converge-shift.ts';
import type { Shifts } from './converge-steps.ts';
import type { FoundResource, Inventory } from './sweep-inventory.ts';

/** Longer than this function can run, even several times in a row. */
const LEASE_MS = 4 * 60 * 60_000;
const LEASE_POLL_MS = 2_000;
const PASS_PAUSE_MS = 5_000;
/** A shift sees within seconds that the stack goes; a lease that nobody gives back runs out. */
const SHIFTS_STOP_MS = 90_000;
/** What was made just before is in the lists by then. */
const LISTS_SETTLE_MS = 15_000;
const PAGE = 100;
const MAX_PAGES = 1_000;

export type CleanupResult =
  | { outcome: 'clean' }
  /** Not yet; to be called again. `left` says what is still there. */
  | { outcome: 'continue'; left: string[] }
  /** No repetition helps. */
  | { outcome: 'failed'; left: string[] };

export type CleanupStack = (input: { owner: string; deadlineMs: number }) => Promise<CleanupResult>;

interface Left {
  text: string;
  final: boolean;
}

/**
 * Leaves nothing of what was made at run time: marks the stack as going, takes every task's lease (so converge is done with
 * it), empties the roster and waits until shifts have stopped (they get a minute and a half), then per region rules, then mappings, then queues, found by the table *and* by prefix, and deleted only with the
 * stack's tag; at last the bucket's objects. It may be called again and goes on.
 */
export function createCleanupStack(deps: {
  tasks: Pick<TaskStore, 'list' | 'acquireLease' | 'get'>;
  stack: Pick<StackStore, 'markRemoving'>;
  memory: Pick<ConvergeState, 'read'>;
  inventory: Inventory;
  shifts: Pick<Shifts, 'roster' | 'slots' | 'lanes'>;
  /** Absent: the data stays. */
  bucket?: BucketCleaner;
  region: string;
  clock: Clock;
  logger: Logger;
}): CleanupStack {
  const { tasks, stack, memory, inventory, shifts, bucket, clock, logger } = deps;

  async function allTasks(): Promise<Task[]> {
    const found: Task[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await tasks.list({}, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...answer.items);
      cursor = answer.nextCursor;
      if (cursor === undefined) break;
    }
    return found;
  }

  /** Answers the ids of tasks that somebody still works on when the time is up. */
  async function takeLeases(all: readonly Task[], owner: string, deadlineMs: number): Promise<string[]> {
    let busy = all.map(({ taskId }) => taskId);
    for (;;) {
      const stillBusy: string[] = [];
      for (const taskId of busy) {
        if (await tasks.acquireLease(taskId, owner, LEASE_MS)) continue;
        if ((await tasks.get(taskId)) !== undefined) stillBusy.push(taskId);
      }
      busy = stillBusy;
      if (busy.length === 0 || clock.now() + LEASE_POLL_MS > deadlineMs) return busy;
      await clock.sleep(LEASE_POLL_MS);
    }
  }

  /** What shifts hold for longer than their time is not waited for: nothing of it is a resource of the stack. */
  async function stopShifts(all: readonly Task[], deadlineMs: number): Promise<void> {
    for (const kind of SHIFT_KINDS) {
      for (const { taskId } of await shifts.roster.read(kind)) await shifts.roster.remove(kind, taskId);
    }
    const untilMs = Math.min(deadlineMs, clock.now() + SHIFTS_STOP_MS);
    for (;;) {
      const working = await shiftsAtWork(all);
      if (working.length === 0) return;
      if (clock.now() + LEASE_POLL_MS > untilMs) return logger.warn('shifts did not stop', { working });
      await clock.sleep(LEASE_POLL_MS);
    }
  }

  async function shiftsAtWork(all: readonly Task[]): Promise<string[]> {
    const working: string[] = [];
    for (const kind of SHIFT_KINDS) {
      for (const slot of await shifts.slots.list(kind)) {
        if (isLive(slot, clock.now())) working.push(`slot ${kind}/${slot.slot}`);
      }
    }
    for (const { taskId } of all.filter(({ resources }) => resources.shift !== undefined)) {
      for (const lane of await shifts.lanes.list(taskId)) {
        if (isLive(lane, clock.now())) working.push(`lane ${taskId}/${lane.lane}`);
      }
    }
    return working;
  }

  /**
   * Nobody works on any task after that. The list is behind: a task made just before the mark shows up late, and converge
   * may be at work on it. Answers the ids of tasks that somebody still works on when the time is up.
   */
  async function stopWork(leased: Set<string>, owner: string, deadlineMs: number): Promise<string[]> {
    const late = (await allTasks()).filter(({ taskId }) => !leased.has(taskId));
    const busy = await takeLeases(late, owner, deadlineMs);
    if (busy.length > 0) return busy;
    if (leased.size === 0 || late.length > 0) await stopShifts(late, deadlineMs);
    for (const { taskId } of late) leased.add(taskId);
    return [];
  }

  async function pass(all: readonly Task[], gone: Set<string>, deadlineMs: number): Promise<Left[]> {
    const { regions } = await memory.read();
    // A rule's region is remembered before the rule is made. Where brokers stand says nothing: no rule is made of them.
    const everywhere = new Set([deps.region, ...regions]);
    const recorded = all.map((task) => inventory.recordedOf(task));
    const recordedAs = (kind: 'rules' | 'mappings' | 'queues') => async () =>
      recorded.flatMap((of) => of[kind]);
    const stages: (() => Promise<FoundResource[]>)[][] = [
      [...[...everywhere].map((region) => () => inventory.rules(region)), recordedAs('rules')],
      [recordedAs('mappings'), () => inventory.mappings()],
      [recordedAs('queues'), () => inventory.queues()],
    ];
    const left: Left[] = [];
    for (const groups of stages) {
      for (const group of groups) await removeGroup(group, gone, left, deadlineMs);
      // A queue goes when nothing sends to it or reads from it any more; what can never go does not hold up the rest.
      if (left.some(({ final }) => !final)) break;
    }
    return left;
  }

  async function removeGroup(
    group: () => Promise<FoundResource[]>,
    gone: Set<string>,
    left: Left[],
    deadlineMs: number,
  ): Promise<void> {
    const found = (await guarded('a list', group, left)) ?? [];
    for (const resource of found) {
      if (gone.has(resource.id)) continue;
      if (clock.now() > deadlineMs) left.push({ text: resource.id, final: false });
      else await guarded(resource.id, () => removeOne(resource, gone, left), left);
    }
  }

  async function removeOne(resource: FoundResource, gone: Set<string>, left: Left[]): Promise<void> {
    // Not there, or of somebody else: neither is ours to remove, nor to report.
    if (!(await resource.isOurs())) return;
    await resource.delete();
    if (await resource.isGone()) gone.add(resource.id);
    else left.push({ text: resource.id, final: false });
  }

  async function guarded<T>(what: string, work: () => Promise<T>, left: Left[]): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ControlPlaneError)) throw error;
      left.push({ text: `${what} (${error.code})`, final: error.reaction === 'failed' });
      return undefined;
    }
  }

  /** Undefined: nothing is left of what the table and the lists know. */
  async function removeAll(owner: string, deadlineMs: number): Promise<CleanupResult | undefined> {
    const gone = new Set<string>();
    const leased = new Set<string>();
    let settledAtMs = clock.now() + LISTS_SETTLE_MS;
    for (let passes = 1; ; passes += 1) {
      const knownBefore = leased.size;
      const busy = await stopWork(leased, owner, deadlineMs);
      if (busy.length > 0) return notYet(busy.map((taskId) => `lease of task ${taskId}`));
      if (leased.size > knownBefore) settledAtMs = clock.now() + LISTS_SETTLE_MS;

      const isSettled = clock.now() >= settledAtMs;
      const removedBefore = gone.size;
      const left = await pass(await allTasks(), gone, deadlineMs);
      logger.info('clean-up pass', { passes, removed: gone.size, left: left.length });
      if (left.length === 0 && gone.size === removedBefore && isSettled) return undefined;
      if (clock.now() + PASS_PAUSE_MS > deadlineMs || isHopeless(left)) return unfinished(left);
      await clock.sleep(PASS_PAUSE_MS);
    }
  }

  return async ({ owner, deadlineMs }) => {
    await stack.markRemoving(new Date(clock.now()).toISOString());
    const result = await removeAll(owner, deadlineMs);
    if (result !== undefined) return result;
    if (bucket !== undefined && !(await bucket.empty(deadlineMs))) return notYet(['objects in the bucket']);
    return { outcome: 'clean' };
  };
}

function unfinished(left: readonly Left[]): CleanupResult {
  return isHopeless(left) ? { outcome: 'failed', left: texts(left) } : notYet(texts(left));
}

function isHopeless(left: readonly Left[]): boolean {
  return left.length > 0 && left.every(({ final }) => final);
}

function notYet(left: string[]): CleanupResult {
  return { outcome: 'continue', left };
}

function texts(left: readonly Left[]): string[] {
  return left.map(({ text }) => text);
}

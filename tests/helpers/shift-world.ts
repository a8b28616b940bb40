import { createManualClock, type ManualClock } from '../../lib/adapters/memory/clock.ts';
import { createMemoryClusterStore } from '../../lib/adapters/memory/cluster-store.ts';
import { createMemoryLaneLeases } from '../../lib/adapters/memory/lane-leases.ts';
import { createMemoryShiftRoster, createMemoryShiftSlots } from '../../lib/adapters/memory/shifts.ts';
import { createMemoryStackStore } from '../../lib/adapters/memory/stack-store.ts';
import { createMemoryState } from '../../lib/adapters/memory/state.ts';
import { createMemoryTaskStore } from '../../lib/adapters/memory/task-store.ts';
import type { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import type { Lane, LaneContext, LaneEnd } from '../../lib/replication/shifts/lane.ts';
import { createShift, type ShiftPorts } from '../../lib/replication/shifts/shift.ts';
import { SHIFT_TIMES } from '../../lib/replication/shifts/shift-times.ts';
import { silentLogger } from './silent-logger.ts';
import { newTaskWith, registerClusters } from './tasks.ts';

/** What a function has, before which its shift has handed over. */
export const FUNCTION_MS = 15 * 60_000;

/** A lane that does what the test tells it. */
export interface FakeLane {
  context: LaneContext;
  openedAtMs: number;
  /** When it was drained, and when it was closed. */
  drainedAtMs?: number;
  closedAtMs?: number;
  effective: boolean;
  lastMessageAtMs: number;
  lastStoredAtMs: number;
  end(end: LaneEnd): void;
}

/** Of which tasks these lanes are. */
export const taskIdsOf = (lanes: readonly FakeLane[]): string[] =>
  lanes.map(({ context }) => context.task.taskId);

export type ShiftWorld = Awaited<ReturnType<typeof createShiftWorld>>;

/** The tables of one stack in memory, tasks wanted running, and shifts whose lanes are fakes. */
export async function createShiftWorld(kind: ShiftKind = 'pull') {
  const clock: ManualClock = createManualClock();
  const state = createMemoryState();
  const tasks = createMemoryTaskStore(state, clock);
  const clusters = createMemoryClusterStore(state);
  const stack = createMemoryStackStore(state);
  const leases = createMemoryLaneLeases(clock);
  const roster = createMemoryShiftRoster();
  const slots = createMemoryShiftSlots(clock);
  const lanes: FakeLane[] = [];
  await registerClusters(clusters);

  function openLane(context: LaneContext): Lane {
    const { promise: ended, resolve } = Promise.withResolvers<LaneEnd>();
    const fake: FakeLane = {
      context,
      openedAtMs: clock.now(),
      effective: true,
      lastMessageAtMs: 0,
      lastStoredAtMs: 0,
      end: resolve,
    };
    lanes.push(fake);
    return {
      ended,
      isEffective: () => fake.effective,
      lastMessageAtMs: () => fake.lastMessageAtMs,
      lastStoredAtMs: () => fake.lastStoredAtMs,
      async drain() {
        fake.drainedAtMs ??= clock.now();
      },
      async close() {
        fake.closedAtMs ??= clock.now();
        resolve({ reason: 'closed' });
      },
    };
  }

  const ports: ShiftPorts = {
    kind,
    tasks,
    clusters,
    stack,
    leases,
    roster,
    slots,
    openLane,
    times: SHIFT_TIMES,
    clock,
    logger: silentLogger,
    capacity: 100,
    codeVersion: 'v1',
    idleEndMs: 0,
  };

  return {
    clock,
    tasks,
    clusters,
    stack,
    leases,
    roster,
    slots,
    /** Every lane that was ever opened, oldest first. */
    lanes,
    /** Lanes that are open now. */
    open: () => lanes.filter(({ closedAtMs }) => closedAtMs === undefined),
    ports,
    /** With `begin`: a shift in a function. */
    inFunction: () => ({ deadlineMs: clock.now() + FUNCTION_MS }),

    /** A task that is starting, in the roster. */
    async addTask(numberOfLanes = 1): Promise<string> {
      const { task } = await tasks.create(newTaskWith({ desired: 'running' }));
      const lease = await tasks.acquireLease(task.taskId, 'test', 60_000);
      if (lease === undefined) throw new Error('a new task is leased');
      await tasks.saveProgress(lease, { status: 'starting' });
      await tasks.releaseLease(lease);
      await roster.put(kind, { taskId: task.taskId, version: 1, mode: 'forward', lanes: numberOfLanes });
      return task.taskId;
    },

    /** Begins a shift, and answers when it has had a look. */
    async begin(owner: string, changes: Partial<ShiftPorts> & { deadlineMs?: number } = {}) {
      const { deadlineMs, ...portChanges } = changes;
      const ending = new AbortController();
      const report = createShift({ ...ports, ...portChanges })({
        owner,
        signal: ending.signal,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
      await clock.advance(0);
      await clock.advance(0);
      return { report, end: () => ending.abort() };
    },

    failed: (error: BridgeError): LaneEnd => ({ reason: 'failed', error }),
  };
}

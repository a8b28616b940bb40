import type { LaneLease, LaneLeases } from '../../lib/ports/lane-leases.ts';
import {
  type RosterEntry,
  SHIFT_KINDS,
  type ShiftRoster,
  type ShiftSlot,
  type ShiftSlots,
} from '../../lib/ports/shifts.ts';
import type { TaskStore } from '../../lib/ports/task-store.ts';

const LEASE_MS = 10_000;

interface Held {
  lease: LaneLease;
  mode: RosterEntry['mode'];
  version: number;
}

/**
 * What shifts do as converge sees it: works on what the roster says, lane by lane, and tells the task that it runs. `work` is a
 * look at the roster; between two of them nothing happens.
 */
export function createFakeShift({
  roster,
  slots,
  lanes,
  tasks,
  isRemoving,
}: {
  roster: ShiftRoster;
  slots: ShiftSlots;
  lanes: LaneLeases;
  tasks: Pick<TaskStore, 'reportLane'>;
  isRemoving: () => boolean;
}) {
  const held = new Map<string, Held>();
  const taken = new Map<string, ShiftSlot>();
  /** What was carried out for lanes that are there: `<taskId>/<lane>` to the modes, in order. */
  const done: string[] = [];
  let isOn = false;
  let isSourceAway = false;

  async function take(entry: RosterEntry, lane: number, mode: RosterEntry['mode']): Promise<void> {
    const key = `${entry.taskId}/${lane}`;
    let mine = held.get(key);
    if (mine === undefined || mine.mode !== mode || mine.version !== entry.version) {
      const granted = await lanes.acquire({ taskId: entry.taskId, lane }, 'shift', LEASE_MS);
      if (granted === undefined) return;
      mine = { lease: granted.lease, mode, version: entry.version };
      done.push(`${key} ${mode} ${entry.version}`);
    }
    const state = { mode, version: entry.version, isEffective: !isSourceAway };
    const lease = await lanes.renew(mine.lease, LEASE_MS, state);
    if (lease === undefined) held.delete(key);
    else held.set(key, { ...mine, lease });
    if (mode === 'forward' && !isSourceAway) await tasks.reportLane(entry.taskId, { status: 'running' });
  }

  async function workOn(entry: RosterEntry): Promise<void> {
    for (let lane = 0; lane < entry.lanes; lane += 1) await take(entry, lane, entry.mode);
    for (let lane = entry.lanes; lane < (entry.endedLanes ?? 0); lane += 1) await take(entry, lane, 'end');
  }

  async function letGo(key: string): Promise<void> {
    const mine = held.get(key);
    if (mine !== undefined) await lanes.release(mine.lease);
    held.delete(key);
  }

  async function takeSlots(): Promise<void> {
    for (const kind of SHIFT_KINDS) {
      const slot = await slots.take({ kind, slot: 0 }, { owner: 'shift', codeVersion: '1' }, LEASE_MS);
      if (slot !== undefined) taken.set(kind, slot);
    }
  }

  return {
    done,
    start() {
      isOn = true;
    },
    /** The broker does not answer any more, or again. */
    setSourceAway(away: boolean) {
      isSourceAway = away;
    },
    isBuffering: () => [...held.values()].some(({ mode }) => mode === 'buffer'),
    /** As a killed process: leases and slots run out by themselves. */
    kill() {
      isOn = false;
      held.clear();
    },
    async work(): Promise<void> {
      if (!isOn) return;
      if (isRemoving()) {
        for (const key of [...held.keys()]) await letGo(key);
        for (const slot of taken.values()) await slots.release(slot);
        isOn = false;
        return;
      }
      await takeSlots();
      const entries = (await Promise.all(SHIFT_KINDS.map((kind) => roster.read(kind)))).flat();
      for (const entry of entries) await workOn(entry);
      const wanted = new Set(entries.flatMap(keysOf));
      for (const key of [...held.keys()]) if (!wanted.has(key)) await letGo(key);
    },
  };
}

function keysOf({ taskId, lanes, endedLanes = lanes }: RosterEntry): string[] {
  return Array.from({ length: endedLanes }, (_, lane) => `${taskId}/${lane}`);
}

export type FakeShift = ReturnType<typeof createFakeShift>;

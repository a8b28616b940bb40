import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { RosterEntry } from '../../ports/shifts.ts';
import { type HeldLane, type HeldLanePorts, holdLane, type StopReason } from './held-lane.ts';

/** So many lanes are given back side by side. */
const CONCURRENT_STOPS = 50;

export interface ShiftLanesOptions extends HeldLanePorts {
  /** Unique to the shift. */
  owner: string;
  /** At most so many lanes at a time. */
  capacity: number;
  /** For jitter. */
  random?: () => number;
}

/** The lanes that one shift holds. */
export interface ShiftLanes {
  readonly size: number;
  /** Epoch ms; 0: none of its lanes met a message. */
  lastMessageAtMs(): number;
  /**
   * Brings what is held in line with the roster: ends what is not wanted or wanted otherwise, takes what is free. One of its
   * calls at a time.
   *
   * @param options.mayTake - `what-is-given-back`: another shift gives up its lanes now, so each is tried at each call
   */
  reconcile(
    roster: readonly RosterEntry[],
    options: { mayTake: 'nothing' | 'what-is-free' | 'what-is-given-back' },
  ): Promise<void>;
  /** Gives everything back; resolves when all leases are free and nothing is left of the lanes. */
  endAll(reason: StopReason): Promise<void>;
}

interface Wanted {
  entry: RosterEntry;
  lane: number;
}

/** So many lanes are asked for side by side: each that is given back to us stands still until we have it. */
const CONCURRENT_TAKES = 16;
/** A lane that goes on being held by others is asked for this many times less often at most. */
const MAX_PATIENCE = 6;
/** But not before it has been held for so many leases: until then its owner may be dead, or have taken it for a moment. */
const NEWS_LEASES = 2;
/** Meanwhile nobody may be carrying: it is asked for so much sooner. */
const NEWS_HASTE = 0.5;

/**
 * Asking for a lane costs a write. One that others hold is asked for every few seconds, after two leases less and less often; a
 * new or changed entry, and one that is being given back, at once.
 */
export function createShiftLanes(options: ShiftLanesOptions): ShiftLanes {
  const { owner, capacity, leases, times, clock, random = Math.random } = options;
  const held = new Map<string, HeldLane>();
  const ending = new Set<Promise<void>>();
  /** Lanes that are given back just now: not to be opened again before. */
  const leaving = new Set<string>();
  /** Lanes that others hold: when to try again, and for which form of the entry that was found. */
  const elsewhere = new Map<string, { tryAtMs: number; form: string; sinceMs: number; tries: number }>();

  async function drop(key: string, lane: HeldLane, reason: StopReason): Promise<void> {
    held.delete(key);
    leaving.add(key);
    const end = lane.ended.finally(() => ending.delete(end));
    ending.add(end);
    await lane.stop(reason);
    leaving.delete(key);
  }

  async function take(key: string, { entry, lane }: Wanted, isUrgent: boolean): Promise<void> {
    const form = formOf(entry);
    const known = elsewhere.get(key);
    const isEarly = known !== undefined && known.form === form && known.tryAtMs > clock.now();
    if (isEarly && !isUrgent) return;
    const granted = await leases.acquire({ taskId: entry.taskId, lane }, owner, times.leaseMs);
    if (granted === undefined) {
      const nowMs = clock.now();
      const before = known?.form === form ? known : { tries: 0, sinceMs: nowMs };
      // One that is about to be given back, or whose owner may just have died, says nothing of how long others hold it.
      const isNews = nowMs - before.sinceMs < NEWS_LEASES * times.leaseMs;
      const tries = isUrgent || isNews ? before.tries : before.tries + 1;
      const waitMs =
        times.heldElsewhereMs * (isNews ? NEWS_HASTE : Math.min(Math.max(1, tries), MAX_PATIENCE));
      const tryAtMs = nowMs + waitMs * (0.5 + random());
      elsewhere.set(key, { tryAtMs, form, sinceMs: before.sinceMs, tries });
      return;
    }
    elsewhere.delete(key);
    const lanePorts: HeldLanePorts = options;
    const heldLane = holdLane(entry, granted, lanePorts);
    held.set(key, heldLane);
    // A lane whose lease was lost is looked for again like any other.
    void heldLane.ended.then(() => {
      if (held.get(key) === heldLane) held.delete(key);
    });
  }

  function endUnwanted(wanted: ReadonlyMap<string, Wanted>): void {
    for (const [key, lane] of held) {
      const entry = wanted.get(key)?.entry;
      if (entry === undefined || formOf(entry) !== formOf(lane.entry)) void drop(key, lane, 'stop');
    }
    for (const key of elsewhere.keys()) if (!wanted.has(key)) elsewhere.delete(key);
  }

  async function takeWanted(wanted: ReadonlyMap<string, Wanted>, isUrgent: boolean): Promise<void> {
    const free = [...wanted].filter(([key]) => !held.has(key) && !leaving.has(key));
    let asking = 0;
    const workers = Array.from({ length: CONCURRENT_TAKES }, async () => {
      // What is over waits for another shift: the next tick finds a slot for it.
      while (held.size + asking < capacity) {
        const next = free.shift();
        if (next === undefined) return;
        asking += 1;
        await take(...next, isUrgent).finally(() => {
          asking -= 1;
        });
      }
    });
    // All of them have to be through before anything is asked for again: the same owner would get its own lane twice.
    const outcomes = await Promise.allSettled(workers);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  return {
    get size() {
      return held.size;
    },
    lastMessageAtMs: () => Math.max(0, ...[...held.values()].map((lane) => lane.lastMessageAtMs())),

    async reconcile(roster, { mayTake }) {
      const wanted = wantedLanes(roster);
      endUnwanted(wanted);
      if (mayTake !== 'nothing') await takeWanted(wanted, mayTake === 'what-is-given-back');
    },

    async endAll(reason) {
      await forEachInFlight([...held], CONCURRENT_STOPS, ([key, lane]) => drop(key, lane, reason));
      await Promise.all(ending);
    },
  };
}

function wantedLanes(roster: readonly RosterEntry[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const entry of roster) {
    const last = Math.max(entry.lanes, entry.endedLanes ?? 0);
    for (let lane = 0; lane < last; lane += 1) {
      const own: RosterEntry = lane < entry.lanes ? entry : { ...entry, mode: 'end' };
      wanted.set(`${entry.taskId} ${lane}`, { entry: own, lane });
    }
  }
  return wanted;
}

/** What a lane has to be opened anew for. */
function formOf({ version, mode }: RosterEntry): string {
  return `${version} ${mode}`;
}

import type { Clock } from '../../ports/clock.ts';

/** Lists of AWS are behind: what was made or deleted just now does not show yet. */
export const LIST_LAG_MS = 10_000;

/** What the parts of the strict cloud share. */
export interface StrictContext {
  clock: Pick<Clock, 'now'>;
  /** In [0, 1). */
  random: () => number;
  region: string;
  accountId: string;
  /** A queue made just now is known to nobody for so long. */
  queueDelayMs: number;
}

/** Metadata as the SDK's exceptions want it. */
export function refused(message: string, httpStatusCode = 400) {
  return { message, $metadata: { httpStatusCode } };
}

/** At most so many calls of one kind in any second. */
export function createThrottle(clock: Pick<Clock, 'now'>): (kind: string, perSecond: number) => boolean {
  const calls = new Map<string, number[]>();
  return (kind, perSecond) => {
    const now = clock.now();
    const recent = (calls.get(kind) ?? []).filter((at) => at > now - 1_000);
    const allowed = recent.length < perSecond;
    if (allowed) recent.push(now);
    calls.set(kind, recent);
    return allowed;
  };
}

interface Entry<T> {
  value: T;
  madeAtMs: number;
  goneAtMs?: number;
}

/** Named things that are made and deleted, and a list of them that is behind. */
export function createStaleCollection<T>(clock: Pick<Clock, 'now'>) {
  const entries: (Entry<T> & { name: string })[] = [];
  const live = (name: string) => entries.find((entry) => entry.name === name && entry.goneAtMs === undefined);
  return {
    get: (name: string): T | undefined => live(name)?.value,
    add(name: string, value: T): void {
      entries.push({ name, value, madeAtMs: clock.now() });
    },
    remove(name: string): void {
      const entry = live(name);
      if (entry !== undefined) entry.goneAtMs = clock.now();
    },
    /** Epoch ms of its making; of what is there. */
    madeAtMs: (name: string): number | undefined => live(name)?.madeAtMs,
    /** Epoch ms of the latest deletion under this name. */
    removedAtMs(name: string): number | undefined {
      const times = entries.filter((entry) => entry.name === name).map((entry) => entry.goneAtMs ?? 0);
      return times.length === 0 ? undefined : Math.max(...times);
    },
    /** As a list of AWS shows it: as it was a while ago. */
    listed(): { name: string; value: T }[] {
      const at = clock.now() - LIST_LAG_MS;
      return entries.filter(({ madeAtMs, goneAtMs }) => madeAtMs <= at && (goneAtMs ?? at + 1) > at);
    },
    /** As it is. */
    all(): { name: string; value: T }[] {
      return entries.filter(({ goneAtMs }) => goneAtMs === undefined);
    },
  };
}

import { decodeTime } from 'ulid';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { OverflowGroups, OverflowMark } from '../../ports/overflow-groups.ts';

const POLL_EVERY_MS = 1_000;
/** Groups asked after at a time, in turns: DynamoDB takes 100 in one request. */
const POLLED_GROUPS = 300;
/** Groups whose messages wait for the answer are asked after so often. */
const URGENT_POLL_EVERY_MS = 100;
const URGENT_GROUPS = 100;
const CONCURRENT_ENDS = 16;

/** What this lane knows of one group that has messages in the task's queue, or is about to. */
interface Group {
  /** Put id last announced; the next ones must be greater. */
  lastPutId: string;
  /** Messages that this lane holds and has not put yet. */
  pending: number;
  /** Put id up to which the queue is known to be drained of it; empty: not known. */
  drainedPutId: string;
  /** Epoch ms at which it was last asked after. */
  askedAtMs: number;
}

/**
 * The message groups that go behind what the task's queue has of them. A group is sent directly again only when the record
 * that was put last is settled.
 */
export interface OverflowGroupsWatch {
  readonly size: number;
  holds(groupKey: string): boolean;
  /**
   * How far the queue was behind with a group when it was last asked after: milliseconds from the put that was settled last
   * to the last one. Infinite: not known.
   */
  lagMs(groupKey: string): number;
  /** A message of the group is about to go to the queue. */
  add(groupKey: string): void;
  /** A message that was added is in the queue, or settled otherwise. */
  done(groupKey: string): void;
  /** Learns what earlier owners have left; answers the greatest put id among it. Throws when that is not certain. */
  load(): Promise<string>;
  /** Says what is about to be put, the last of each group; answers the groups for which that was certain. */
  announce(lastPutIds: ReadonlyMap<string, string>): Promise<ReadonlySet<string>>;
  /**
   * Asks, at most once a second, how far groups are drained, and ends what is over.
   *
   * @param urgent - messages of these groups wait for the answer: asked after up to ten times a second
   */
  poll(urgent?: readonly string[]): void;
  readonly underWay: Promise<void> | undefined;
}

export function createOverflowGroupsWatch(options: {
  taskId: string;
  marks: OverflowGroups;
  clock: Clock;
  logger: Logger;
  /** The batching function has settled something after that time, so the target accepts. */
  onProgress(sinceMs: number): void;
  /** A group's overflow is over: from now on it is sent directly. */
  onOver(groupKey: string): void;
}): OverflowGroupsWatch {
  const { taskId, marks, clock, logger } = options;
  const groups = new Map<string, Group>();
  let underWay: Promise<void> | undefined;
  let nextPollMs = 0;
  let nextUrgentPollMs = 0;

  const isQuiet = (group: Group | undefined): group is Group => group?.pending === 0;

  /** Groups that are due. Oldest asked first: who was asked goes to the end. */
  function nextToAsk(): string[] {
    const asked: string[] = [];
    for (const [groupKey, group] of groups) {
      if (asked.length === POLLED_GROUPS) break;
      if (group.lastPutId !== '') asked.push(groupKey);
    }
    for (const groupKey of asked) {
      const group = groups.get(groupKey);
      if (group === undefined) continue;
      groups.delete(groupKey);
      groups.set(groupKey, group);
    }
    return asked;
  }

  /**
   * Whether a group's overflow is over, by its mark: gone, or drained to the last put and ended by us.
   *
   * @param lastPutId - when the mark was asked for: of a later put it says nothing
   */
  async function isOver(
    groupKey: string,
    lastPutId: string,
    mark: OverflowMark | undefined,
  ): Promise<boolean> {
    if (mark !== undefined) {
      if (mark.lastPutId !== lastPutId || mark.drainedPutId !== lastPutId) return false;
      if (!isQuiet(groups.get(groupKey))) return false;
      if (!(await marks.forget(taskId, groupKey, lastPutId))) return false;
    }
    const group = groups.get(groupKey);
    // Another message of it came meanwhile: it goes behind, under a new mark.
    return isQuiet(group) && group.lastPutId === lastPutId;
  }

  /** Since when, at the earliest, what these marks newly tell of was settled; undefined: they tell nothing new. */
  function progressOf(found: Iterable<OverflowMark>, beganMs: number): number | undefined {
    let sinceMs: number | undefined;
    for (const { groupKey, drainedPutId = '' } of found) {
      const group = groups.get(groupKey);
      if (group === undefined) continue;
      if (drainedPutId > group.drainedPutId) {
        sinceMs = Math.max(sinceMs ?? 0, group.askedAtMs, decodeTime(drainedPutId));
        group.drainedPutId = drainedPutId;
      }
      group.askedAtMs = beganMs;
    }
    return sinceMs;
  }

  async function ask(groupKeys: readonly string[]): Promise<void> {
    const beganMs = clock.now();
    const asked = new Map<string, string>();
    for (const groupKey of groupKeys) {
      const group = groups.get(groupKey);
      if (group !== undefined) asked.set(groupKey, group.lastPutId);
    }
    if (asked.size === 0) return;
    const found = new Map((await marks.read(taskId, [...asked.keys()])).map((mark) => [mark.groupKey, mark]));
    const sinceMs = progressOf(found.values(), beganMs);
    if (sinceMs !== undefined) options.onProgress(sinceMs);
    await forEachInFlight([...asked], CONCURRENT_ENDS, async ([groupKey, lastPutId]) => {
      if (!(await isOver(groupKey, lastPutId, found.get(groupKey)))) return;
      groups.delete(groupKey);
      options.onOver(groupKey);
    });
  }

  /** Who is to be asked after now. */
  function due(urgent: readonly string[]): readonly string[] {
    const nowMs = clock.now();
    const isUrgent = urgent.length > 0 && nowMs >= nextUrgentPollMs;
    if (isUrgent) nextUrgentPollMs = nowMs + URGENT_POLL_EVERY_MS;
    const own = isUrgent ? urgent.slice(0, URGENT_GROUPS) : [];
    if (nowMs < nextPollMs) return own;
    nextPollMs = nowMs + POLL_EVERY_MS;
    return [...new Set([...own, ...nextToAsk()])];
  }

  return {
    get size() {
      return groups.size;
    },
    holds: (groupKey) => groups.has(groupKey),
    lagMs(groupKey) {
      const { lastPutId, drainedPutId } = groups.get(groupKey) ?? NOTHING_KNOWN;
      if (drainedPutId === '') return Number.POSITIVE_INFINITY;
      return decodeTime(lastPutId) - decodeTime(drainedPutId);
    },
    add(groupKey) {
      const group = groups.get(groupKey);
      if (group === undefined) groups.set(groupKey, { ...NOTHING_KNOWN, pending: 1 });
      else group.pending += 1;
    },
    done(groupKey) {
      const group = groups.get(groupKey);
      if (group === undefined) return;
      group.pending -= 1;
      // Nothing of it was ever put.
      if (group.pending === 0 && group.lastPutId === '') groups.delete(groupKey);
    },
    async load() {
      let greatest = '';
      const askedAtMs = clock.now();
      for (const { groupKey, lastPutId, drainedPutId = '' } of await marks.list(taskId)) {
        const pending = groups.get(groupKey)?.pending ?? 0;
        groups.set(groupKey, { lastPutId, pending, drainedPutId, askedAtMs });
        if (lastPutId > greatest) greatest = lastPutId;
      }
      return greatest;
    },
    async announce(lastPutIds) {
      const puts = [...lastPutIds].map(([groupKey, putId]) => ({ groupKey, putId }));
      for (const { groupKey, putId } of puts) {
        const group = groups.get(groupKey);
        // Also when the answer is lost: then it may be the last one.
        if (group !== undefined && group.lastPutId < putId) group.lastPutId = putId;
      }
      const answers = await marks.announce(taskId, puts, clock.now());
      return new Set(puts.filter((_, index) => answers[index] === true).map(({ groupKey }) => groupKey));
    },
    poll(urgent = []) {
      if (underWay !== undefined || groups.size === 0) return;
      const groupKeys = due(urgent);
      if (groupKeys.length === 0) return;
      underWay = ask(groupKeys)
        .catch((error: unknown) => {
          // Not known to be drained: the groups stay behind the queue, and are asked after again.
          logger.warn('overflow not looked up', { taskId, error });
        })
        .finally(() => {
          underWay = undefined;
        });
    },
    get underWay() {
      return underWay;
    },
  };
}

const NOTHING_KNOWN: Group = { lastPutId: '', pending: 0, drainedPutId: '', askedAtMs: 0 };

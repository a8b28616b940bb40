import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { OverflowGroups, OverflowMark } from '../ports/overflow-groups.ts';

const POLL_EVERY_MS = 1_000;
/** Groups asked after at a time, in turns: DynamoDB takes 100 in one request. */
const POLLED_GROUPS = 300;

/** What this lane knows of one group that has messages in the task's queue, or is about to. */
interface Group {
  /** Put id last announced; the next ones must be greater. */
  lastPutId: string;
  /** Messages that this lane holds and has not put yet. */
  pending: number;
}

/**
 * The message groups that go behind what the task's queue has of them. A group is sent directly again only when the record
 * that was put last is settled.
 */
export interface OverflowGroupsWatch {
  readonly size: number;
  holds(groupKey: string): boolean;
  /** A message of the group is about to go to the queue. */
  add(groupKey: string): void;
  /** A message that was added is in the queue, or settled otherwise. */
  done(groupKey: string): void;
  /** Learns what earlier owners have left; answers the greatest put id among it. Throws when that is not certain. */
  load(): Promise<string>;
  /** Says what is about to be put, the last of each group; answers the groups for which that was certain. */
  announce(lastPutIds: ReadonlyMap<string, string>): Promise<ReadonlySet<string>>;
  /** Asks, at most once a second, which groups are drained; answers them once they are ended. */
  poll(): void;
  readonly underWay: Promise<void> | undefined;
}

export function createOverflowGroupsWatch(options: {
  taskId: string;
  marks: OverflowGroups;
  clock: Clock;
  logger: Logger;
  /** The batching function has settled all of some groups, so the target accepts. */
  onDrained(): void;
}): OverflowGroupsWatch {
  const { taskId, marks, clock, logger } = options;
  const groups = new Map<string, Group>();
  let underWay: Promise<void> | undefined;
  let nextPollMs = 0;

  const isQuiet = (group: Group | undefined): group is Group => group?.pending === 0;

  /** Groups with their last put ids of this moment. Oldest asked first: who was asked goes to the end. */
  function nextToAsk(): Map<string, string> {
    const asked = new Map<string, string>();
    for (const [groupKey, group] of groups) {
      if (asked.size === POLLED_GROUPS) break;
      if (isQuiet(group)) asked.set(groupKey, group.lastPutId);
    }
    for (const groupKey of asked.keys()) {
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
      if (!(await marks.forget(taskId, groupKey, lastPutId))) return false;
    }
    const group = groups.get(groupKey);
    // Another message of it came meanwhile: it goes behind, under a new mark.
    return isQuiet(group) && group.lastPutId === lastPutId;
  }

  async function ask(): Promise<void> {
    const asked = nextToAsk();
    if (asked.size === 0) return;
    const found = new Map((await marks.read(taskId, [...asked.keys()])).map((mark) => [mark.groupKey, mark]));
    let drained = 0;
    for (const [groupKey, lastPutId] of asked) {
      if (!(await isOver(groupKey, lastPutId, found.get(groupKey)))) continue;
      groups.delete(groupKey);
      drained += 1;
    }
    if (drained > 0) options.onDrained();
  }

  return {
    get size() {
      return groups.size;
    },
    holds: (groupKey) => groups.has(groupKey),
    add(groupKey) {
      const group = groups.get(groupKey);
      if (group === undefined) groups.set(groupKey, { lastPutId: '', pending: 1 });
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
      for (const { groupKey, lastPutId } of await marks.list(taskId)) {
        groups.set(groupKey, { lastPutId, pending: groups.get(groupKey)?.pending ?? 0 });
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
    poll() {
      const nowMs = clock.now();
      if (underWay !== undefined || nowMs < nextPollMs || groups.size === 0) return;
      nextPollMs = nowMs + POLL_EVERY_MS;
      underWay = ask()
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

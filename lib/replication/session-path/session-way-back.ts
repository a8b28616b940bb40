import { keepRecent } from '../../domain/keep-recent.ts';
import type { Random } from '../retry-schedule.ts';
import type { OverflowGroupsWatch } from './overflow-groups-watch.ts';
import type { LaneItem } from './session-item.ts';

/** A message is kept back so long at most: brokers lose patience after 5 to 10 s, and it may have to be sent yet. */
const LONGEST_KEEP_MS = 2_000;
/** The queue is so little behind with a group that what was put last may be settled meanwhile. */
const NEAR_MS = 1_500;
/** Groups kept back at a time: their marks are read by one request. */
const MAX_GROUPS = 100;
/** Groups whose tries are remembered; of one that is forgotten the next try comes a little soon. */
const MAX_TRIED_GROUPS = 10_000;
/** A target that has taken something is believed to take more for so long. */
const ACCEPTS_FOR_MS = 10_000;
/** Failures longer ago say nothing any more. */
const FORGET_AFTER_MS = 60_000;
/** Between two tries of a group, doubling; a target that leaves again and again, or a full window, makes all groups wait. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_GROUP_WAIT_MS = 8_000;
const LONGEST_LANE_WAIT_MS = 60_000;
/** A silence so many times as long as the longest of late means that the broker may send no more. */
const STALL_FACTOR = 3;
const STALL_MS = 50;
/** Longer ones tell nothing; shorter ones are forgotten with what arrives: half after 35, so that bursts are no silence. */
const LONGEST_SILENCE_MS = 500;
const REMEMBERED = 0.98;
/** A window that is full sooner belongs to so many messages that keeping some back stops them all. */
const QUICK_STALL_MS = 250;

interface Kept {
  sinceMs: number;
  /** Its place among all arrivals. */
  firstArrival: number;
  items: LaneItem[];
  bytes: number;
}

/** Tries in a row that brought nothing. */
interface Tries {
  count: number;
  notBeforeMs: number;
}

/**
 * Messages of ordered groups that are kept back, unacknowledged, for a moment in which the task's queue comes to its end with
 * their group. Without that a group with a message a second would stay behind the queue for ever: each one moves its end.
 */
export interface WayBack {
  /** Messages kept back. */
  readonly size: number;
  readonly groupKeys: readonly string[];
  /** Keeps a message back if its group is about to leave the queue; false: it goes the way of its group. */
  keep(item: LaneItem, nowMs: number): boolean;
  /** The group has left the queue: its messages, in order, are the caller's. */
  release(groupKey: string): LaneItem[];
  /** Puts what is kept back of the group into the queue. */
  giveUp(groupKey: string): void;
  /** A message has come, whichever way it goes: the broker waits for what is kept back before it. */
  arrived(nowMs: number): void;
  /** The target has taken something. @param isOurs - sent by this lane */
  accepted(nowMs: number, isOurs: boolean): void;
  /** The target is away: everything goes into the queue at once. */
  left(nowMs: number): void;
  /**
   * Whether this lane may take it for the target's being back that the batching function gets through: not at once, and later and
   * later where its own messages fail all the same.
   */
  believes(nowMs: number): boolean;
  tick(nowMs: number): void;
}

export function createWayBack(options: {
  groups: Pick<OverflowGroupsWatch, 'holds' | 'lagMs'>;
  /** Into the task's queue, behind what is there. */
  put(items: readonly LaneItem[]): void;
  /** Unacknowledged messages that the broker may have with us, and their bytes: half of each is left to the others. */
  receiveMaximum: number;
  maxPendingBytes: number;
  random: Random;
}): WayBack {
  const { groups, put, random } = options;
  const maxSpan = options.receiveMaximum / 2;
  const maxBytes = options.maxPendingBytes / 2;
  /** Oldest first. */
  const kept = new Map<string, Kept>();
  const tries = new Map<string, Tries>();
  const leaves: Tries = { count: 0, notBeforeMs: 0 };
  const stalls: Tries = { count: 0, notBeforeMs: 0 };
  let acceptedAtMs = Number.NEGATIVE_INFINITY;
  let arrivals = 0;
  let lastArrivalMs: number | undefined;
  /** The longest time between two arrivals of late. */
  let silenceMs = LONGEST_SILENCE_MS;
  let size = 0;
  let bytes = 0;

  function failed(of: Tries, nowMs: number, longestMs: number): void {
    if (nowMs - of.notBeforeMs > FORGET_AFTER_MS) of.count = 0;
    const step = Math.min(longestMs, FIRST_WAIT_MS * 2 ** Math.min(of.count, 16));
    of.count += 1;
    of.notBeforeMs = nowMs + Math.ceil(step / 2 + (random() * step) / 2);
  }

  function mayBegin(groupKey: string, nowMs: number): boolean {
    if (nowMs - acceptedAtMs > ACCEPTS_FOR_MS || kept.size >= MAX_GROUPS) return false;
    if (nowMs < Math.max(leaves.notBeforeMs, stalls.notBeforeMs, tries.get(groupKey)?.notBeforeMs ?? 0))
      return false;
    return groups.holds(groupKey) && groups.lagMs(groupKey) <= NEAR_MS;
  }

  function take(groupKey: string): LaneItem[] {
    const own = kept.get(groupKey);
    if (own === undefined) return [];
    kept.delete(groupKey);
    size -= own.items.length;
    bytes -= own.bytes;
    return own.items;
  }

  function giveUp(groupKey: string, nowMs: number): void {
    const items = take(groupKey);
    if (items.length === 0) return;
    const own = tries.get(groupKey) ?? { count: 0, notBeforeMs: 0 };
    keepRecent(tries, groupKey, own, MAX_TRIED_GROUPS);
    failed(own, nowMs, LONGEST_GROUP_WAIT_MS);
    put(items);
  }

  function giveUpWhile(isOver: (first: Kept) => boolean, nowMs: number): void {
    for (const [groupKey, own] of kept) {
      if (!isOver(own)) return;
      giveUp(groupKey, nowMs);
    }
  }

  const isTooMuch = (first: Kept) => arrivals - first.firstArrival >= maxSpan || bytes > maxBytes;

  function learnSilence(ms: number): void {
    silenceMs = Math.max(silenceMs * REMEMBERED, Math.min(ms, LONGEST_SILENCE_MS));
  }

  /** The broker, whose window is its secret, seems to wait for what is kept back: nothing comes any more. */
  function watchStall(nowMs: number): void {
    const first = kept.values().next().value;
    if (first === undefined || lastArrivalMs === undefined) return;
    if (nowMs - lastArrivalMs < Math.max(STALL_MS, STALL_FACTOR * silenceMs)) return;
    if (lastArrivalMs - first.sinceMs >= QUICK_STALL_MS) stalls.count = 0;
    failed(stalls, nowMs, LONGEST_LANE_WAIT_MS);
    giveUpWhile(() => true, nowMs);
    // Silence of our own making.
    lastArrivalMs = nowMs;
  }

  return {
    get size() {
      return size;
    },
    get groupKeys() {
      return [...kept.keys()];
    },
    keep(item, nowMs) {
      const { groupKey, delivery } = item;
      let own = kept.get(groupKey);
      if (own === undefined) {
        if (!mayBegin(groupKey, nowMs)) return false;
        own = { sinceMs: nowMs, firstArrival: arrivals, items: [], bytes: 0 };
        kept.set(groupKey, own);
      }
      own.items.push(item);
      own.bytes += delivery.bytes;
      size += 1;
      bytes += delivery.bytes;
      giveUpWhile(isTooMuch, nowMs);
      return true;
    },
    release(groupKey) {
      tries.delete(groupKey);
      return take(groupKey);
    },
    giveUp(groupKey) {
      giveUp(groupKey, lastArrivalMs ?? 0);
    },
    arrived(nowMs) {
      arrivals += 1;
      // While something is kept back the broker may already be waiting.
      if (size === 0) learnSilence(nowMs - (lastArrivalMs ?? Number.NEGATIVE_INFINITY));
      lastArrivalMs = nowMs;
      giveUpWhile(isTooMuch, nowMs);
    },
    accepted(nowMs, isOurs) {
      acceptedAtMs = nowMs;
      if (isOurs) leaves.count = 0;
    },
    left(nowMs) {
      acceptedAtMs = Number.NEGATIVE_INFINITY;
      failed(leaves, nowMs, LONGEST_LANE_WAIT_MS);
      giveUpWhile(() => true, nowMs);
    },
    believes: (nowMs) => nowMs >= leaves.notBeforeMs,
    tick(nowMs) {
      giveUpWhile(({ sinceMs }) => nowMs - sinceMs >= LONGEST_KEEP_MS, nowMs);
      watchStall(nowMs);
    },
  };
}

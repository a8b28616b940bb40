import type { LaneItem } from './session-item.ts';

/** What one call of the producer takes at most: it makes requests of 128 of that, several at a time. */
const MAX_CALL_MESSAGES = 500;
const MAX_CALL_BYTES = 1_048_576;
/** Ordered: so many of one group in a call, one after the other; a call is answered when its slowest group is. */
const MAX_GROUP_MESSAGES = 16;
const MAX_GROUPED_CALL_MESSAGES = 128;

/**
 * Messages that wait in one line: those of a rendered topic, or of one message group in it. A line of a group is in one call
 * at a time, so that its order holds over retries.
 */
export interface Line {
  readonly key: string;
  readonly rocketmqTopic: string;
  readonly isGrouped: boolean;
  readonly groupKey: string;
  /** Waiting, in order. */
  items: LaneItem[];
  /** Calls under way. */
  calls: number;
  /** Attempts in a row that brought nothing. */
  attempts: number;
  /** Epoch ms before which it is not tried again. */
  notBeforeMs: number;
}

/** What goes out in one call. */
export interface LinePart {
  line: Line;
  items: LaneItem[];
}

/** All lines of a lane. */
export interface Lines {
  /** Items that wait in a line. */
  readonly waiting: number;
  /** Lines with items that no call of their own holds. */
  readonly ready: number;
  all(): Iterable<Line>;
  /** Whether nothing of an item's line waits or is under way. */
  isIdle(item: LaneItem): boolean;
  /** Puts an item at the end of its line. */
  push(item: LaneItem): Line;
  /** Takes what the next call carries, of one topic; undefined: nothing may go now. Lines take turns. */
  next(nowMs: number): LinePart[] | undefined;
  /** A call with a part of this line has ended, and these of it go again, first. */
  giveBack(line: Line, items: readonly LaneItem[]): void;
  /** Takes all items out of a line, or the first ones for which `isTaken` holds. */
  drain(line: Line, isTaken?: (item: LaneItem) => boolean): LaneItem[];
}

export function createLines(): Lines {
  const lines = new Map<string, Line>();
  /** With items, and not held by a call of their own; first is next. */
  const ready = new Set<Line>();
  let waiting = 0;

  function lineOf(item: LaneItem): Line {
    const { message, groupKey } = item;
    const rocketmqTopic = message?.rocketmqTopic ?? '';
    const messageGroup = message?.messageGroup;
    const key = keyOf(item);
    const found = lines.get(key);
    if (found !== undefined) return found;
    const line: Line = {
      key,
      rocketmqTopic,
      isGrouped: messageGroup !== undefined,
      groupKey,
      items: [],
      calls: 0,
      attempts: 0,
      notBeforeMs: 0,
    };
    lines.set(key, line);
    return line;
  }

  const isFree = (line: Line) => !line.isGrouped || line.calls === 0;

  /** Keeps `ready` right, and forgets a line that holds nothing. */
  function refresh(line: Line): void {
    if (line.items.length === 0) ready.delete(line);
    else if (isFree(line)) ready.add(line);
    if (line.items.length === 0 && line.calls === 0) lines.delete(line.key);
  }

  function take(line: Line, count: number, bytes: number): LinePart {
    let taken = 0;
    let size = 0;
    for (const item of line.items) {
      if (taken === count || (taken > 0 && size + item.delivery.bytes > bytes)) break;
      size += item.delivery.bytes;
      taken += 1;
    }
    const items = line.items.splice(0, taken);
    waiting -= items.length;
    line.calls += 1;
    // To the end: the others have their turn.
    ready.delete(line);
    refresh(line);
    return { line, items };
  }

  /** Groups of one topic side by side in one call. */
  function takeGroups(first: Line, nowMs: number): LinePart[] {
    const parts: LinePart[] = [];
    let count = 0;
    for (const line of [...ready]) {
      if (count >= MAX_GROUPED_CALL_MESSAGES) break;
      if (!line.isGrouped || line.rocketmqTopic !== first.rocketmqTopic || line.notBeforeMs > nowMs) continue;
      const part = take(line, MAX_GROUP_MESSAGES, MAX_CALL_BYTES);
      count += part.items.length;
      parts.push(part);
    }
    return parts;
  }

  return {
    get waiting() {
      return waiting;
    },
    get ready() {
      return ready.size;
    },
    all: () => lines.values(),
    isIdle: (item) => !lines.has(keyOf(item)),
    push(item) {
      const line = lineOf(item);
      line.items.push(item);
      waiting += 1;
      if (isFree(line)) ready.add(line);
      return line;
    },
    next(nowMs) {
      for (const line of ready) {
        if (line.notBeforeMs > nowMs) continue;
        return line.isGrouped ? takeGroups(line, nowMs) : [take(line, MAX_CALL_MESSAGES, MAX_CALL_BYTES)];
      }
      return undefined;
    },
    giveBack(line, items) {
      line.calls -= 1;
      if (items.length > 0) line.items = [...items, ...line.items];
      waiting += items.length;
      refresh(line);
    },
    drain(line, isTaken) {
      let count = line.items.length;
      if (isTaken !== undefined) {
        const firstLeft = line.items.findIndex((item) => !isTaken(item));
        if (firstLeft >= 0) count = firstLeft;
      }
      const items = line.items.splice(0, count);
      waiting -= items.length;
      refresh(line);
      return items;
    },
  };
}

function keyOf({ message }: LaneItem): string {
  const { rocketmqTopic = '', messageGroup } = message ?? {};
  return messageGroup === undefined ? rocketmqTopic : `${rocketmqTopic}\n${messageGroup}`;
}

import { decodeTime, monotonicFactory, type ULIDFactory } from 'ulid';
import type { Clock } from '../../ports/clock.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { Logger } from '../../ports/logger.ts';
import type { OverflowQueue, OverflowRecord } from '../../ports/overflow-queue.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import { withTimeout } from '../with-timeout.ts';
import type { OverflowGroupsWatch } from './overflow-groups-watch.ts';
import { overflowBody } from './overflow-record.ts';
import type { LaneTally } from './session-counts.ts';
import type { LaneGate, LaneItem } from './session-item.ts';

/** Records of one call: ten requests. */
const MAX_RECORDS = 100;
/** Calls under way for a standard queue. A FIFO queue gets one: what failed has to go before what follows. */
const CONCURRENT_CALLS = 4;
const ANSWER_MS = 20_000;

interface Pending {
  item: LaneItem;
  putId: string;
}

/** Messages of a lane on their way into the task's own queue; accepted when, and only when, the queue has them. */
export interface SessionOverflow {
  /** For good, in this order. */
  take(item: LaneItem): void;
  /** Takes back what is in no call yet: the target accepts again. Only of use without order. */
  reclaim(): LaneItem[];
  pump(): void;
  /** Waiting or in a call. */
  readonly pending: number;
  /** Epoch ms at which the queue last took something, or what it has of earlier owners was learnt; undefined: never. */
  readonly lastPutMs: number | undefined;
  readonly underWay: ReadonlySet<Promise<void>>;
  /** Put ids of earlier owners end here: ours are greater. Empty: they have left nothing. */
  startAfter(putId: string): void;
}

export function createSessionOverflow(options: {
  task: { taskId: string; version: number };
  queueUrl: string;
  /** Present: the queue is a FIFO queue. */
  groups: OverflowGroupsWatch | undefined;
  queue: OverflowQueue;
  largeBodies: Pick<LargeBodies, 'put'>;
  gate: LaneGate;
  tally: LaneTally;
  clock: Clock;
  logger: Logger;
  random: Random;
}): SessionOverflow {
  const { task, queueUrl, groups, gate, tally, clock, logger } = options;
  const limit = groups === undefined ? CONCURRENT_CALLS : 1;
  const underWay = new Set<Promise<void>>();
  const ids = putIds(clock);
  let waiting: Pending[] = [];
  let inCalls = 0;
  let failures = 0;
  let notBeforeMs = 0;
  let lastPutMs: number | undefined;

  /** Undefined: its large body could not be stored. */
  async function recordOf({ item, putId }: Pending): Promise<OverflowRecord | undefined> {
    try {
      const body = await overflowBody(item, { ...task, id: putId, largeBodies: options.largeBodies });
      return groups === undefined ? { putId, body } : { putId, body, groupKey: item.groupKey };
    } catch (error) {
      logger.warn('large body not stored', { taskId: task.taskId, error });
      return undefined;
    }
  }

  /** What may be put now, with its place in the batch: of a group nothing behind something that cannot. */
  async function prepare(batch: readonly Pending[]): Promise<{ index: number; record: OverflowRecord }[]> {
    const records = await Promise.all(batch.map(recordOf));
    const stopped = new Set<string>();
    const ready: { index: number; record: OverflowRecord }[] = [];
    const lastPutIds = new Map<string, string>();
    for (const [index, record] of records.entries()) {
      const groupKey = batch[index]?.item.groupKey ?? '';
      if (record === undefined) stopped.add(groupKey);
      if (record === undefined || (groups !== undefined && stopped.has(groupKey))) continue;
      ready.push({ index, record });
      lastPutIds.set(groupKey, record.putId);
    }
    if (groups === undefined) return ready;
    const certain = await groups.announce(lastPutIds);
    return ready.filter(({ record }) => certain.has(record.groupKey ?? ''));
  }

  async function taken(batch: readonly Pending[]): Promise<ReadonlySet<number>> {
    const ready = await prepare(batch);
    if (ready.length === 0 || !gate.mayBegin()) return new Set();
    const records = ready.map(({ record }) => record);
    const answers = await withTimeout(options.queue.put(queueUrl, records, gate.mayBegin), ANSWER_MS);
    return new Set(ready.filter((_, place) => answers?.[place] === true).map(({ index }) => index));
  }

  async function put(batch: readonly Pending[]): Promise<void> {
    const answers = await taken(batch).catch((error: unknown): ReadonlySet<number> => {
      logger.warn('overflow not put', { taskId: task.taskId, records: batch.length, error });
      return new Set();
    });
    const again =
      groups === undefined ? unsettled(batch, answers) : unsettledInOrder(batch, answers, ids.next);
    const repeated = new Set(again.map(({ item }) => item));
    inCalls -= batch.length;
    waiting = [...again, ...waiting];
    failures = again.length === 0 ? 0 : failures + 1;
    if (failures > 0) notBeforeMs = clock.now() + retryWaitMs(failures, 0, options.random);
    if (answers.size > 0) lastPutMs = clock.now();
    const mayAccept = gate.mayAccept();
    for (const { item } of batch) {
      if (repeated.has(item)) continue;
      groups?.done(item.groupKey);
      if (!mayAccept || item.isSettled) continue;
      item.isSettled = true;
      item.delivery.accept();
      tally.counts.overflowed += 1;
    }
  }

  /** Leaves out what was settled otherwise while it waited. */
  function nextBatch(): Pending[] {
    const batch: Pending[] = [];
    let looked = 0;
    for (const one of waiting) {
      if (batch.length === MAX_RECORDS) break;
      looked += 1;
      if (one.item.isSettled) groups?.done(one.item.groupKey);
      else batch.push(one);
    }
    waiting.splice(0, looked);
    return batch;
  }

  function pump(): void {
    while (underWay.size < limit && waiting.length > 0) {
      if (!gate.mayBegin() || clock.now() < notBeforeMs) return;
      const batch = nextBatch();
      if (batch.length === 0) return;
      inCalls += batch.length;
      const call = put(batch)
        .catch((error: unknown) => logger.error('overflow not put', { taskId: task.taskId, error }))
        .finally(() => {
          underWay.delete(call);
          pump();
        });
      underWay.add(call);
    }
  }

  return {
    take(item) {
      groups?.add(item.groupKey);
      waiting.push({ item, putId: ids.next() });
    },
    reclaim() {
      const items = waiting.map(({ item }) => item).filter(({ isSettled }) => !isSettled);
      waiting = [];
      return items;
    },
    pump,
    get pending() {
      return waiting.length + inCalls;
    },
    get lastPutMs() {
      return lastPutMs;
    },
    underWay,
    startAfter(putId) {
      if (putId === '') return;
      ids.startAfter(putId);
      lastPutMs = clock.now();
    },
  };
}

function unsettled(batch: readonly Pending[], taken: ReadonlySet<number>): Pending[] {
  return batch.filter(({ item }, index) => !taken.has(index) && !item.isSettled);
}

/**
 * What has to be put again so that each group lies in order. What the queue did not surely take goes under its old id: if it
 * did, the copy is not kept. What it took although an earlier one of its group is missing goes again under a new id, behind.
 */
function unsettledInOrder(
  batch: readonly Pending[],
  taken: ReadonlySet<number>,
  nextId: () => string,
): Pending[] {
  const stopped = new Set<string>();
  const again: Pending[] = [];
  for (const [index, one] of batch.entries()) {
    const { groupKey } = one.item;
    if (!taken.has(index)) {
      if (one.item.isSettled) continue;
      stopped.add(groupKey);
      again.push(one);
    } else if (stopped.has(groupKey)) {
      again.push({ item: one.item, putId: nextId() });
    }
  }
  return again;
}

/** ULIDs that grow within a lane, and beyond those of earlier owners whose clock may have been ahead of ours. */
function putIds(clock: Pick<Clock, 'now'>): { next: () => string; startAfter: (putId: string) => void } {
  const next: ULIDFactory = monotonicFactory();
  let startMs = 0;
  return {
    next: () => next(Math.max(clock.now(), startMs)),
    startAfter(putId) {
      startMs = decodeTime(putId) + 1;
    },
  };
}

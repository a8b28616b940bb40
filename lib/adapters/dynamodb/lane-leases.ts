import type { Clock } from '../../ports/clock.ts';
import type { LaneLease, LaneLeases, LaneMemory, LaneRecord, LaneState } from '../../ports/lane-leases.ts';
import { absent, all, any, atMost, type Condition, changing, conditional, equals } from './expressions.ts';
import { keysOf } from './read.ts';
import { type Item, type Key, type Table, taskKey } from './table.ts';
import { remove, update } from './write.ts';

const LANE = 'LANE#';

/** Leases on lanes, each an item of its task's partition. */
export function createDynamoLaneLeases(table: Table, clock: Pick<Clock, 'now'>): LaneLeases {
  async function list(taskId: string): Promise<LaneRecord[]> {
    const records: LaneRecord[] = [];
    for await (const item of keysOf(table, taskKey(taskId).PK, LANE)) records.push(recordOf(item));
    return records;
  }

  return {
    list,

    async acquire({ taskId, lane }, owner, durationMs) {
      const now = clock.now();
      const expiresAtMs = now + durationMs;
      const outcome = await update(table, {
        Key: laneKey(taskId, lane),
        ...changing(
          { set: { taskId, lane, owner, expiresAtMs }, remove: ['state'], add: { epoch: 1 } },
          // The owner itself again: its first request arrived, the answer did not.
          any(isFree(now), equals('owner', owner)),
        ),
      });
      if (!outcome.ok) return undefined;
      const { epoch, memory } = recordOf(outcome.item);
      return { lease: { taskId, lane, owner, epoch, expiresAtMs }, memory: memory ?? {} };
    },

    async renew(lease, durationMs, state) {
      const expiresAtMs = clock.now() + durationMs;
      const outcome = await update(table, {
        Key: laneKey(lease.taskId, lease.lane),
        // One that was given up may arrive behind its repetition: what the owner counts on is not shortened.
        ...changing({ set: { expiresAtMs, state } }, all(isOurs(lease), atMost('expiresAtMs', expiresAtMs))),
      });
      if (outcome.ok) return { ...lease, expiresAtMs };
      const known = (await list(lease.taskId)).find(({ lane }) => lane === lease.lane);
      if (known?.owner !== lease.owner || known.epoch !== lease.epoch) return undefined;
      return { ...lease, expiresAtMs: known.expiresAtMs ?? expiresAtMs };
    },

    async remember(lease, memory) {
      const outcome = await update(table, {
        Key: laneKey(lease.taskId, lease.lane),
        ...changing({ set: { memory } }, isOurs(lease)),
      });
      return outcome.ok;
    },

    async release(lease) {
      await update(table, {
        Key: laneKey(lease.taskId, lease.lane),
        // The time of its end stays: it tells how long nobody has worked on it.
        ...changing({ remove: ['owner'] }, isOurs(lease)),
      });
    },

    async forget(taskId, firstLane) {
      for (const { lane } of await list(taskId)) {
        if (lane < firstLane) continue;
        await remove(table, { Key: laneKey(taskId, lane), ...conditional(isFree(clock.now())) });
      }
    },
  };
}

/** Two digits, so that lanes sort by their number. */
function laneKey(taskId: string, lane: number): Key {
  return { PK: taskKey(taskId).PK, SK: `${LANE}${String(lane).padStart(2, '0')}` };
}

function isFree(nowMs: number): Condition {
  return any(absent('owner'), atMost('expiresAtMs', nowMs));
}

function isOurs({ owner, epoch }: LaneLease): Condition {
  return all(equals('owner', owner), equals('epoch', epoch));
}

function recordOf(item: Item): LaneRecord {
  const { taskId, lane, epoch, owner, expiresAtMs, state, memory } = item;
  return {
    taskId: String(taskId),
    lane: Number(lane),
    epoch: Number(epoch),
    ...(owner === undefined ? {} : { owner: String(owner) }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs: Number(expiresAtMs) }),
    // Written by this file only, which keeps the types.
    ...(state === undefined ? {} : { state: state as LaneState }),
    ...(memory === undefined ? {} : { memory: memory as LaneMemory }),
  };
}

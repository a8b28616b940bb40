import type { Clock } from '../../ports/clock.ts';
import type { LaneLease, LaneLeases, LaneRecord } from '../../ports/lane-leases.ts';

/** Leases on lanes in memory: for tests, with the same promises as the real ones. */
export function createMemoryLaneLeases(clock: Pick<Clock, 'now'>): LaneLeases {
  const records = new Map<string, LaneRecord>();
  const keyOf = (taskId: string, lane: number) => `${taskId} ${lane}`;

  const isHeld = ({ owner, expiresAtMs = 0 }: LaneRecord) => owner !== undefined && expiresAtMs > clock.now();

  const ours = ({ taskId, lane, owner, epoch }: LaneLease): LaneRecord | undefined => {
    const record = records.get(keyOf(taskId, lane));
    return record?.owner === owner && record.epoch === epoch ? record : undefined;
  };

  return {
    async acquire({ taskId, lane }, owner, durationMs) {
      const known = records.get(keyOf(taskId, lane));
      if (known !== undefined && isHeld(known) && known.owner !== owner) return undefined;
      const memory = known?.memory ?? {};
      const lease = {
        taskId,
        lane,
        owner,
        epoch: (known?.epoch ?? 0) + 1,
        expiresAtMs: clock.now() + durationMs,
      };
      records.set(keyOf(taskId, lane), { ...lease, memory });
      return { lease, memory: structuredClone(memory) };
    },

    async renew(lease, durationMs, state) {
      const record = ours(lease);
      if (record === undefined) return undefined;
      const expiresAtMs = clock.now() + durationMs;
      if (expiresAtMs < (record.expiresAtMs ?? 0)) return { ...lease, expiresAtMs: record.expiresAtMs ?? 0 };
      record.expiresAtMs = expiresAtMs;
      record.state = { ...state };
      return { ...lease, expiresAtMs };
    },

    async remember(lease, memory) {
      const record = ours(lease);
      if (record !== undefined) record.memory = structuredClone(memory);
      return record !== undefined;
    },

    async release(lease) {
      const record = ours(lease);
      if (record === undefined) return;
      delete record.owner;
    },

    async list(taskId) {
      return [...records.values()]
        .filter((record) => record.taskId === taskId)
        .sort((one, other) => one.lane - other.lane)
        .map((record) => structuredClone(record));
    },

    async forget(taskId, firstLane) {
      for (const [key, record] of records) {
        if (record.taskId === taskId && record.lane >= firstLane && !isHeld(record)) records.delete(key);
      }
    },
  };
}

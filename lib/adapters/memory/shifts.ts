import type { Clock } from '../../ports/clock.ts';
import type {
  RosterEntry,
  ShiftKind,
  ShiftRoster,
  ShiftSlot,
  ShiftSlots,
  SlotRecord,
} from '../../ports/shifts.ts';

/** The tasks of all shifts, in memory. */
export function createMemoryShiftRoster(): ShiftRoster {
  const entries: Record<ShiftKind, Map<string, RosterEntry>> = { pull: new Map(), session: new Map() };
  return {
    async read(kind) {
      return [...entries[kind].values()].map((entry) => ({ ...entry }));
    },
    async put(kind, entry) {
      entries[kind].set(entry.taskId, { ...entry });
    },
    async remove(kind, taskId) {
      entries[kind].delete(taskId);
    },
  };
}

/** Slots of shifts in memory: for tests, with the same promises as the real ones. */
export function createMemoryShiftSlots(clock: Pick<Clock, 'now'>): ShiftSlots {
  const records = new Map<string, SlotRecord>();
  const keyOf = ({ kind, slot }: { kind: ShiftKind; slot: number }) => `${kind} ${slot}`;

  const ours = (held: ShiftSlot): SlotRecord | undefined => {
    const record = records.get(keyOf(held));
    return record?.owner === held.owner && record.epoch === held.epoch ? record : undefined;
  };

  return {
    async list(kind) {
      return [...records.values()]
        .filter((record) => record.kind === kind)
        .sort((one, other) => one.slot - other.slot)
        .map((record) => structuredClone(record));
    },

    async take(place, holder, durationMs) {
      const known = records.get(keyOf(place));
      const isHeld = known?.owner !== undefined && (known.expiresAtMs ?? 0) > clock.now();
      if (isHeld && known.owner !== holder.owner) return undefined;
      const epoch = (known?.epoch ?? 0) + 1;
      const expiresAtMs = clock.now() + durationMs;
      records.set(keyOf(place), { ...place, ...holder, epoch, expiresAtMs });
      return { ...place, owner: holder.owner, epoch, expiresAtMs };
    },

    async renew(slot, durationMs, state) {
      const record = ours(slot);
      if (record === undefined) return undefined;
      if (state?.isHandingOver === true) record.isHandingOver = true;
      record.expiresAtMs = clock.now() + durationMs;
      return { slot: { ...slot, expiresAtMs: record.expiresAtMs }, record: structuredClone(record) };
    },

    async release(slot) {
      const record = ours(slot);
      if (record === undefined) return;
      delete record.owner;
      delete record.expiresAtMs;
    },

    async standBy(place, standby, durationMs) {
      const record = records.get(keyOf(place));
      if (record?.owner === undefined) return false;
      const other = record.standby;
      if (other !== undefined && other.owner !== standby.owner && other.expiresAtMs > clock.now())
        return false;
      record.standby = { ...standby, expiresAtMs: clock.now() + durationMs };
      return true;
    },
  };
}

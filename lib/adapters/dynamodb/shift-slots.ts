import type { Clock } from '../../ports/clock.ts';
import type { ShiftKind, ShiftSlot, ShiftSlots, SlotRecord } from '../../ports/shifts.ts';
import { absent, all, any, atMost, type Condition, changing, equals, present } from './expressions.ts';
import { keysOf } from './read.ts';
import { type Item, type Key, shiftsPartition, type Table } from './table.ts';
import { update } from './write.ts';

const SLOT = 'SLOT#';

/** Slots of shifts, each an item of its kind's partition. */
export function createDynamoShiftSlots(table: Table, clock: Pick<Clock, 'now'>): ShiftSlots {
  return {
    async list(kind) {
      const records: SlotRecord[] = [];
      for await (const item of keysOf(table, shiftsPartition(kind), SLOT)) records.push(recordOf(item));
      return records;
    },

    async take({ kind, slot }, { owner, endsAtMs, codeVersion }, durationMs) {
      const now = clock.now();
      const expiresAtMs = now + durationMs;
      const outcome = await update(table, {
        Key: slotKey(kind, slot),
        ...changing(
          {
            set: { kind, slot, owner, expiresAtMs, endsAtMs, codeVersion },
            remove: ['standby', 'isHandingOver', ...(endsAtMs === undefined ? ['endsAtMs'] : [])],
            add: { epoch: 1 },
          },
          // The owner itself again: its first request arrived, the answer did not.
          any(absent('owner'), atMost('expiresAtMs', now), equals('owner', owner)),
        ),
      });
      return outcome.ok ? { kind, slot, owner, epoch: Number(outcome.item.epoch), expiresAtMs } : undefined;
    },

    async renew(slot, durationMs, state) {
      const expiresAtMs = clock.now() + durationMs;
      const isHandingOver = state?.isHandingOver === true ? true : undefined;
      const outcome = await update(table, {
        Key: slotKey(slot.kind, slot.slot),
        ...changing({ set: { expiresAtMs, isHandingOver } }, isOurs(slot)),
      });
      return outcome.ok ? { slot: { ...slot, expiresAtMs }, record: recordOf(outcome.item) } : undefined;
    },

    async release(slot) {
      await update(table, {
        Key: slotKey(slot.kind, slot.slot),
        ...changing({ remove: ['owner', 'expiresAtMs'] }, isOurs(slot)),
      });
    },

    async standBy({ kind, slot }, { owner, codeVersion }, durationMs) {
      const now = clock.now();
      const outcome = await update(table, {
        Key: slotKey(kind, slot),
        ...changing(
          { set: { standby: { owner, codeVersion, expiresAtMs: now + durationMs } } },
          all(
            present('owner'),
            any(absent('standby'), atMost('standby.expiresAtMs', now), equals('standby.owner', owner)),
          ),
        ),
      });
      return outcome.ok;
    },
  };
}

/** Three digits, so that slots sort by their number. */
function slotKey(kind: ShiftKind, slot: number): Key {
  return { PK: shiftsPartition(kind), SK: `${SLOT}${String(slot).padStart(3, '0')}` };
}

function isOurs({ owner, epoch }: ShiftSlot): Condition {
  return all(equals('owner', owner), equals('epoch', epoch));
}

function recordOf(item: Item): SlotRecord {
  const { kind, slot, epoch, owner, expiresAtMs, endsAtMs, codeVersion, isHandingOver, standby } = item;
  return {
    // Written by this file only, which keeps the types.
    kind: kind as ShiftKind,
    slot: Number(slot),
    epoch: Number(epoch),
    ...(owner === undefined ? {} : { owner: String(owner), expiresAtMs: Number(expiresAtMs) }),
    ...(endsAtMs === undefined ? {} : { endsAtMs: Number(endsAtMs) }),
    ...(codeVersion === undefined ? {} : { codeVersion: String(codeVersion) }),
    ...(isHandingOver === true ? { isHandingOver } : {}),
    ...(standby === undefined ? {} : { standby: standby as NonNullable<SlotRecord['standby']> }),
  };
}

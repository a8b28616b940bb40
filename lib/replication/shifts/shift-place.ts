import type { Clock } from '../../ports/clock.ts';
import type { RosterEntry, ShiftKind, ShiftSlot, ShiftSlots, SlotRecord } from '../../ports/shifts.ts';
import type { ShiftTimes } from './shift-times.ts';

/** Who looks for a place. */
export interface ShiftIdentity {
  kind: ShiftKind;
  /** Unique to the invocation or process. */
  owner: string;
  codeVersion: string;
  /** Epoch ms at which it begins to hand over; absent: a process that lives on. */
  endsAtMs?: number;
}

/** Where a shift works: in a slot of its own, or waiting for another's. */
export type Place =
  | { kind: 'slot'; slot: ShiftSlot; renewAtMs: number }
  | { kind: 'standby'; number: number; renewAtMs: number };

/** The place a look later, and which lanes may be taken there; or why there is none any more. */
export type KeptPlace =
  | (Place & { mayTake: 'nothing' | 'what-is-free' | 'what-is-given-back' })
  | { kind: 'end'; why: string; isSuperseded?: true };

export interface PlacePorts {
  slots: ShiftSlots;
  /** Lanes that one shift carries. */
  capacity: number;
  times: ShiftTimes;
  clock: Pick<Clock, 'now'>;
}

/**
 * A free slot, of those that the roster needs; else the place of the standby of a shift that ends soon or runs other code;
 * undefined: there is nothing to do here.
 */
export async function findPlace(
  identity: ShiftIdentity,
  roster: readonly RosterEntry[],
  { slots, capacity, times, clock, mayStandBy }: PlacePorts & { mayStandBy: boolean },
): Promise<Place | undefined> {
  const { kind } = identity;
  const records = await slots.list(kind);
  const lanes = roster.reduce((sum, entry) => sum + entry.lanes, 0);
  const needed = Math.ceil(lanes / capacity);
  const renewAtMs = clock.now() + times.renewMs;
  for (let number = 0; number < needed; number += 1) {
    const record = records.find(({ slot }) => slot === number);
    if (record !== undefined && isLive(record, clock)) continue;
    const slot = await slots.take({ kind, slot: number }, identity, times.leaseMs);
    if (slot !== undefined) return { kind: 'slot', slot, renewAtMs };
  }
  for (const record of mayStandBy ? records : []) {
    if (record.slot >= needed || !wantsStandby(record, identity, times, clock)) continue;
    const waits = await slots.standBy({ kind, slot: record.slot }, identity, times.leaseMs);
    if (waits) return { kind: 'standby', number: record.slot, renewAtMs };
  }
  return undefined;
}

/**
 * Keeps a place: renews a slot, and tells when its shift has to give way; keeps a standby in line, and takes the slot once
 * its owner has gone.
 */
export async function keepPlace(
  place: Place,
  identity: ShiftIdentity,
  ports: PlacePorts,
): Promise<KeptPlace> {
  return place.kind === 'slot' ? keepSlot(place, identity, ports) : keepStandby(place, identity, ports);
}

async function keepSlot(
  place: Extract<Place, { kind: 'slot' }>,
  { endsAtMs = Number.POSITIVE_INFINITY, codeVersion }: ShiftIdentity,
  { slots, times, clock }: PlacePorts,
): Promise<KeptPlace> {
  const nowMs = clock.now();
  if (nowMs < place.renewAtMs) return { ...place, mayTake: 'what-is-free' };
  const renewed = await slots.renew(place.slot, times.leaseMs);
  if (renewed === undefined) return { kind: 'end', why: 'the slot was taken' };
  const { standby } = renewed.record;
  if (standby !== undefined && standby.expiresAtMs > nowMs) {
    if (standby.codeVersion !== codeVersion)
      return { kind: 'end', why: 'another version waits', isSuperseded: true };
    if (nowMs >= endsAtMs) return { kind: 'end', why: 'the standby waits' };
  }
  return { kind: 'slot', slot: renewed.slot, renewAtMs: nowMs + times.renewMs, mayTake: 'what-is-free' };
}

async function keepStandby(
  place: Extract<Place, { kind: 'standby' }>,
  identity: ShiftIdentity,
  { slots, times, clock }: PlacePorts,
): Promise<KeptPlace> {
  const { kind } = identity;
  const nowMs = clock.now();
  const record = (await slots.list(kind)).find(({ slot }) => slot === place.number);
  if (record === undefined || !isLive(record, clock)) {
    const slot = await slots.take({ kind, slot: place.number }, identity, times.leaseMs);
    if (slot === undefined) return { kind: 'end', why: 'another shift took the slot' };
    return { kind: 'slot', slot, renewAtMs: nowMs + times.renewMs, mayTake: 'what-is-given-back' };
  }
  const isHandedOver = record.isHandingOver === true;
  if (!isHandedOver && !wantsStandby(record, identity, times, clock)) {
    return { kind: 'end', why: 'the slot needs no standby any more' };
  }
  if (nowMs >= place.renewAtMs) {
    const waits = await slots.standBy({ kind, slot: place.number }, identity, times.leaseMs);
    if (!waits && !isHandedOver) return { kind: 'end', why: 'another shift is the standby' };
  }
  const renewAtMs = nowMs >= place.renewAtMs ? nowMs + times.renewMs : place.renewAtMs;
  return { ...place, renewAtMs, mayTake: isHandedOver ? 'what-is-given-back' : 'nothing' };
}

function isLive({ owner, expiresAtMs = 0 }: SlotRecord, clock: Pick<Clock, 'now'>): boolean {
  return owner !== undefined && expiresAtMs > clock.now();
}

/** A process lives on by its own will: only another process of other code takes its place. */
function wantsStandby(
  record: SlotRecord,
  { codeVersion, endsAtMs }: ShiftIdentity,
  times: ShiftTimes,
  clock: Pick<Clock, 'now'>,
): boolean {
  if (!isLive(record, clock)) return false;
  const isProcess = endsAtMs === undefined;
  if (record.endsAtMs === undefined) return isProcess && record.codeVersion !== codeVersion;
  return (
    isProcess ||
    record.codeVersion !== codeVersion ||
    record.endsAtMs + times.handOverBeforeMs - clock.now() < times.standbyBeforeMs
  );
}

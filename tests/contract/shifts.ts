import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { ShiftRoster, ShiftSlot, ShiftSlots } from '../../lib/ports/shifts.ts';

const SLOT_MS = 15_000;

/** What the roster of shifts promises. */
export function describeShiftRoster(name: string, build: () => Promise<ShiftRoster>): void {
  describe(`ShiftRoster, ${name}`, () => {
    const entry = () => ({ taskId: ulid(), version: 1, mode: 'forward', lanes: 2 }) as const;

    it('is empty at first, and takes a removal from nothing', async () => {
      const roster = await build();
      await roster.remove('pull', ulid());
      expect(await roster.read('pull')).toEqual([]);
    });

    it('keeps one entry for each task and kind, written side by side', async () => {
      const roster = await build();
      const entries = Array.from({ length: 8 }, entry);
      await Promise.all(entries.map((one) => roster.put('pull', one)));
      expect(sorted(await roster.read('pull'))).toEqual(sorted(entries));
      expect(await roster.read('session')).toEqual([]);
    });

    it('replaces and removes an entry', async () => {
      const roster = await build();
      const [first, second] = [entry(), entry()];
      await roster.put('session', first);
      await roster.put('session', second);
      const changed = { ...first, version: 2, mode: 'buffer', lanes: 1 } as const;
      await roster.put('session', changed);
      expect(sorted(await roster.read('session'))).toEqual(sorted([changed, second]));
      await roster.remove('session', first.taskId);
      expect(await roster.read('session')).toEqual([second]);
    });
  });
}

export interface ShiftSlotsUnderTest {
  slots: ShiftSlots;
  advance(ms: number): unknown;
}

/** What slots of shifts promise. */
export function describeShiftSlots(name: string, build: () => Promise<ShiftSlotsUnderTest>): void {
  describe(`ShiftSlots, ${name}`, () => {
    let slots: ShiftSlots;
    let advance: ShiftSlotsUnderTest['advance'];

    beforeEach(async () => {
      ({ slots, advance } = await build());
    });

    const holder = (owner: string) => ({ owner, codeVersion: 'v1', endsAtMs: 840_000 });
    const taken = async (owner: string, slot = 0): Promise<ShiftSlot> => {
      const got = await slots.take({ kind: 'pull', slot }, holder(owner), SLOT_MS);
      if (got === undefined) throw new Error(`slot ${slot} is taken`);
      return got;
    };

    it('gives a slot to one shift at a time', async () => {
      const got = await Promise.all(
        ['a', 'b', 'c'].map((owner) => slots.take({ kind: 'pull', slot: 0 }, holder(owner), SLOT_MS)),
      );
      expect(got.filter((one) => one !== undefined)).toHaveLength(1);
      expect(await slots.take({ kind: 'session', slot: 0 }, holder('d'), SLOT_MS)).toBeDefined();
      expect(await taken('d', 1)).toMatchObject({ slot: 1, epoch: 1 });
    });

    it('shows who works there and until when', async () => {
      const slot = await taken('a');
      expect(await slots.list('pull')).toEqual([
        {
          kind: 'pull',
          slot: 0,
          epoch: 1,
          owner: 'a',
          expiresAtMs: slot.expiresAtMs,
          endsAtMs: 840_000,
          codeVersion: 'v1',
        },
      ]);
      expect(await slots.list('session')).toEqual([]);
    });

    it('knows a process that has no end', async () => {
      await slots.take({ kind: 'pull', slot: 0 }, { owner: 'p', codeVersion: 'v1' }, SLOT_MS);
      expect((await slots.list('pull'))[0]).not.toHaveProperty('endsAtMs');
    });

    it('fences a shift whose slot ran out', async () => {
      const old = await taken('a');
      advance(SLOT_MS);
      const fresh = await taken('b');
      expect(fresh.epoch).toBe(2);
      expect(await slots.renew(old, SLOT_MS)).toBeUndefined();
      await slots.release(old);
      expect(await slots.renew(fresh, SLOT_MS)).toMatchObject({ slot: { owner: 'b' } });
    });

    it('is free again once released', async () => {
      const slot = await taken('a');
      await slots.release(slot);
      expect((await slots.list('pull'))[0]).not.toHaveProperty('owner');
      expect(await taken('b')).toMatchObject({ epoch: 2 });
    });

    it('takes one standby at a time, which its owner sees, and which is gone once it took over', async () => {
      const slot = await taken('a');
      const standBy = (owner: string) =>
        slots.standBy({ kind: 'pull', slot: 0 }, { owner, codeVersion: 'v2' }, SLOT_MS);
      expect(await standBy('b')).toBe(true);
      expect(await standBy('c')).toBe(false);
      expect(await standBy('b')).toBe(true);
      const renewed = await slots.renew(slot, 2 * SLOT_MS);
      expect(renewed?.record.standby).toMatchObject({ owner: 'b', codeVersion: 'v2' });
      advance(SLOT_MS);
      expect(await standBy('c')).toBe(true);
      await slots.release(slot);
      await taken('c');
      expect((await slots.list('pull'))[0]).not.toHaveProperty('standby');
    });

    it('tells who waits that the lanes are given back, until it is taken anew', async () => {
      const slot = await taken('a');
      await slots.renew(slot, SLOT_MS, { isHandingOver: true });
      expect((await slots.list('pull'))[0]).toMatchObject({ owner: 'a', isHandingOver: true });
      await slots.release(slot);
      await taken('b');
      expect((await slots.list('pull'))[0]).not.toHaveProperty('isHandingOver');
    });

    it('has no standby where nobody works', async () => {
      const standby = { owner: 'b', codeVersion: 'v1' };
      expect(await slots.standBy({ kind: 'pull', slot: 0 }, standby, SLOT_MS)).toBe(false);
      const slot = await taken('a');
      await slots.release(slot);
      expect(await slots.standBy({ kind: 'pull', slot: 0 }, standby, SLOT_MS)).toBe(false);
    });
  });
}

function sorted<T extends { taskId: string }>(entries: readonly T[]): T[] {
  return entries.toSorted((one, other) => (one.taskId < other.taskId ? -1 : 1));
}

import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { LaneLease, LaneLeases } from '../../lib/ports/lane-leases.ts';

const LEASE_MS = 15_000;
const state = { mode: 'forward', version: 3, isEffective: true, lastStoredAtMs: 1_790_000_000_000 } as const;

export interface LaneLeasesUnderTest {
  leases: LaneLeases;
  advance(ms: number): unknown;
}

/** What leases on lanes promise. */
export function describeLaneLeases(name: string, build: () => Promise<LaneLeasesUnderTest>): void {
  describe(`LaneLeases, ${name}`, () => {
    let leases: LaneLeases;
    let advance: LaneLeasesUnderTest['advance'];
    let taskId: string;

    beforeEach(async () => {
      ({ leases, advance } = await build());
      taskId = ulid();
    });

    const acquired = async (owner: string, lane = 0): Promise<LaneLease> => {
      const granted = await leases.acquire({ taskId, lane }, owner, LEASE_MS);
      if (granted === undefined) throw new Error(`lane ${lane} is held`);
      return granted.lease;
    };

    it('gives a lane to one owner at a time', async () => {
      const granted = await Promise.all(
        ['a', 'b', 'c'].map((owner) => leases.acquire({ taskId, lane: 0 }, owner, LEASE_MS)),
      );
      expect(granted.filter((one) => one !== undefined)).toEqual([
        { lease: expect.objectContaining({ taskId, lane: 0, epoch: 1 }), memory: {} },
      ]);
      expect(await leases.acquire({ taskId, lane: 1 }, 'd', LEASE_MS)).toBeDefined();
    });

    it('gives it again to the owner whose first answer was lost', async () => {
      await acquired('a');
      expect(await acquired('a')).toMatchObject({ owner: 'a', epoch: 2 });
    });

    it('gives it to the next by a higher epoch once it has run out, and fences the one that slept', async () => {
      const old = await acquired('a');
      advance(LEASE_MS);
      const fresh = await acquired('b');
      expect(fresh.epoch).toBe(old.epoch + 1);
      expect(await leases.renew(old, LEASE_MS, state)).toBeUndefined();
      expect(await leases.remember(old, { subscribedFilters: ['x'] })).toBe(false);
      await leases.release(old);
      expect(await leases.renew(fresh, LEASE_MS, state)).toMatchObject({ owner: 'b' });
    });

    it('shows what its owner says of it, and keeps a renewed one', async () => {
      const lease = await acquired('a');
      advance(LEASE_MS / 2);
      const renewed = await leases.renew(lease, LEASE_MS, state);
      expect(renewed?.expiresAtMs).toBe(lease.expiresAtMs + LEASE_MS / 2);
      advance(LEASE_MS / 2);
      expect(await leases.acquire({ taskId, lane: 0 }, 'b', LEASE_MS)).toBeUndefined();
      expect(await leases.list(taskId)).toMatchObject([
        {
          taskId,
          lane: 0,
          epoch: 1,
          owner: 'a',
          expiresAtMs: renewed?.expiresAtMs,
          state,
        },
      ]);
    });

    it('is not shortened by a renewal that comes late', async () => {
      const lease = await acquired('a');
      advance(1_000);
      const renewed = await leases.renew(lease, LEASE_MS, state);
      const late = { ...state, isEffective: false };
      expect(await leases.renew(lease, LEASE_MS - 1_000, late)).toEqual(renewed);
      expect(await leases.list(taskId)).toMatchObject([{ expiresAtMs: renewed?.expiresAtMs, state }]);
    });

    it('can be given back before its time, and hands its memory to the next, but not its state', async () => {
      const lease = await acquired('a');
      await leases.renew(lease, LEASE_MS, state);
      expect(await leases.remember(lease, { subscribedFilters: ['a/+', 'b/#'] })).toBe(true);
      await leases.release(lease);
      await leases.release(lease);
      const [released] = await leases.list(taskId);
      expect(released).not.toHaveProperty('owner');
      expect(released).toHaveProperty('expiresAtMs', lease.expiresAtMs);
      const next = await leases.acquire({ taskId, lane: 0 }, 'b', LEASE_MS);
      expect(next).toMatchObject({ lease: { epoch: 2 }, memory: { subscribedFilters: ['a/+', 'b/#'] } });
      const [held] = await leases.list(taskId);
      expect(held).not.toHaveProperty('state');
    });

    it('lists lanes by their number', async () => {
      for (const lane of [10, 2, 0]) await acquired('a', lane);
      expect((await leases.list(taskId)).map(({ lane }) => lane)).toEqual([0, 2, 10]);
      expect(await leases.list(ulid())).toEqual([]);
    });

    it('forgets lanes from a number on, but none that is held', async () => {
      const held = await acquired('a', 3);
      for (const lane of [0, 1, 2]) await leases.release(await acquired('a', lane));
      await leases.forget(taskId, 1);
      expect((await leases.list(taskId)).map(({ lane }) => lane)).toEqual([0, 3]);
      await leases.release(held);
      await leases.forget(taskId, 0);
      expect(await leases.list(taskId)).toMatchObject([]);
    });
  });
}

import { beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { LaneContext } from '../../../../lib/replication/shifts/lane.ts';
import { createShift } from '../../../../lib/replication/shifts/shift.ts';
import { SHIFT_TIMES } from '../../../../lib/replication/shifts/shift-times.ts';
import { createShiftWorld, FUNCTION_MS, type ShiftWorld, taskIdsOf } from '../../../helpers/shift-world.ts';

const MINUTE_MS = 60_000;
const away = new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' });

describe('createShift', () => {
  let world: ShiftWorld;

  beforeEach(async () => {
    world = await createShiftWorld();
  });

  it('hands over to its standby, lane by lane, without a gap, 20 times in a row', async () => {
    const taskIds = [await world.addTask(), await world.addTask(2)];
    let current = await world.begin('shift 0', world.inFunction());
    for (let shift = 1; shift <= 20; shift += 1) {
      await world.clock.advance(FUNCTION_MS - 2 * MINUTE_MS);
      expect((await (await world.begin('early', world.inFunction())).report).place).toBe('none');
      await world.clock.advance(MINUTE_MS - 20_000);
      const next = await world.begin(`shift ${shift}`, world.inFunction());
      expect((await (await world.begin('third', world.inFunction())).report).place).toBe('none');
      await world.clock.advance(30_000);
      expect(await current.report).toEqual({ place: expect.anything(), lanes: 3 });
      expect(world.open()).toHaveLength(3);
      current = next;
    }
    expect(world.lanes).toHaveLength(21 * 3);
    const byLane = Map.groupBy(world.lanes, ({ context }) => `${context.task.taskId} ${context.lane}`);
    for (const openings of byLane.values()) {
      for (const [index, { drainedAtMs = 0 }] of openings.slice(0, -1).entries()) {
        const gapMs = (openings[index + 1]?.openedAtMs ?? 0) - drainedAtMs;
        expect(gapMs).toBeGreaterThanOrEqual(0);
        expect(gapMs).toBeLessThanOrEqual(2_000);
      }
    }
    for (const taskId of taskIds) {
      expect((await world.leases.list(taskId)).every(({ owner }) => owner === 'shift 20')).toBe(true);
    }
  });

  it('keeps the connection of a handed-over lane until it is taken over', async () => {
    await world.addTask();
    const old = await world.begin('old', world.inFunction());
    await world.clock.advance(FUNCTION_MS - MINUTE_MS - 20_000);
    await world.begin('new', world.inFunction());
    await world.clock.advance(20_000 + SHIFT_TIMES.renewMs);
    expect(world.lanes).toHaveLength(2);
    const [first, second] = world.lanes;
    await world.clock.advance(SHIFT_TIMES.takeoverMs);
    expect((await old.report).place).toBe('slot');
    expect(first?.closedAtMs).toBeGreaterThanOrEqual(second?.openedAtMs ?? Number.POSITIVE_INFINITY);
  });

  it('says nothing more of a lane that another has taken over', async () => {
    const taskId = await world.addTask();
    await world.begin('old', world.inFunction());
    world.lanes[0]?.context.health.working();
    await world.clock.advance(FUNCTION_MS - MINUTE_MS - 20_000);
    await world.begin('new', world.inFunction());
    await world.clock.advance(20_000 + SHIFT_TIMES.renewMs);
    const [first, second] = world.lanes;
    second?.context.health.working();
    await world.clock.advance(0);
    first?.context.health.failing(away);
    first?.context.health.canary({ code: 'TARGET_TIMEOUT', message: 'late' });
    await world.clock.advance(0);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'running' });
  });

  it('says nothing of a lane whose lease it has slept through', async () => {
    const taskId = await world.addTask();
    const { leases } = world;
    let sleeps = false;
    const sleeping = {
      ...leases,
      renew: (...args: Parameters<typeof leases.renew>) =>
        sleeps ? new Promise<undefined>(() => undefined) : leases.renew(...args),
    };
    await world.begin('old', { ...world.inFunction(), leases: sleeping });
    const [first] = world.lanes;
    first?.context.health.working();
    await world.clock.advance(0);
    sleeps = true;
    await world.clock.advance(SHIFT_TIMES.renewMs + SHIFT_TIMES.leaseMs);
    await world.leases.acquire({ taskId, lane: 0 }, 'new', MINUTE_MS);
    first?.context.health.failing(away);
    first?.context.health.canary({ code: 'TARGET_TIMEOUT', message: 'late' });
    await world.clock.advance(0);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'running' });
  });

  it('says again that the only lane works, whatever an earlier owner has said too late', async () => {
    const taskId = await world.addTask();
    await world.begin('a');
    world.lanes[0]?.context.health.working();
    await world.clock.advance(0);
    const reason = {
      code: 'TARGET_TIMEOUT',
      message: 'late',
      at: new Date().toISOString(),
      about: 'target',
    } as const;
    await world.tasks.reportLane(taskId, { status: 'degraded', reason });
    await world.clock.advance(MINUTE_MS);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'running' });
  });

  it('gives back in time when no standby comes', async () => {
    const taskId = await world.addTask();
    const { report } = await world.begin('a', world.inFunction());
    await world.clock.advance(FUNCTION_MS - SHIFT_TIMES.handOverBeforeMs / 2 + 4_000);
    expect(await report).toEqual({ place: 'slot', lanes: 1 });
    expect((await world.leases.list(taskId))[0]).not.toHaveProperty('owner');
    expect((await world.slots.list('pull'))[0]).not.toHaveProperty('owner');
  });

  it('gives way at once to a shift of another version, but a process gives way to no function', async () => {
    await world.addTask();
    const old = await world.begin('old', world.inFunction());
    await world.begin('new', { ...world.inFunction(), codeVersion: 'v2' });
    await world.clock.advance(2 * SHIFT_TIMES.renewMs + SHIFT_TIMES.takeoverMs);
    expect(await old.report).toMatchObject({ place: 'slot' });
    expect(world.open()).toHaveLength(1);

    const process = await world.begin('process', { codeVersion: 'process' });
    await world.clock.advance(2 * SHIFT_TIMES.renewMs + SHIFT_TIMES.takeoverMs);
    expect(await world.slots.list('pull')).toMatchObject([{ owner: 'process' }]);
    expect((await (await world.begin('tick', world.inFunction())).report).place).toBe('none');
    process.end();
    await world.clock.advance(0);
    await world.clock.advance(SHIFT_TIMES.takeoverMs);
    expect(await process.report).toMatchObject({ lanes: 1 });
  });

  it('does not displace in turn the version that has taken over, and stands in for it when it is gone', async () => {
    await world.addTask();
    const runOld = createShift(world.ports);
    const old = runOld({ owner: 'old' });
    await world.clock.advance(SHIFT_TIMES.pollMs);
    const next = await world.begin('new', { codeVersion: 'v2' });
    await world.clock.advance(2 * SHIFT_TIMES.renewMs + SHIFT_TIMES.takeoverMs);
    expect(await old).toMatchObject({ place: 'slot' });
    const ending = new AbortController();
    void runOld({ owner: 'old, again', signal: ending.signal });
    await world.clock.advance(4 * SHIFT_TIMES.renewMs);
    expect(await world.slots.list('pull')).toMatchObject([{ owner: 'new' }]);
    expect(world.lanes).toHaveLength(2);

    next.end();
    await world.clock.advance(2 * SHIFT_TIMES.leaseMs);
    void runOld({ owner: 'old, at last', signal: ending.signal });
    await world.clock.advance(0);
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(world.open()).toMatchObject([{ context: { lane: 0 } }]);
    ending.abort();
    await world.clock.advance(SHIFT_TIMES.takeoverMs);
  });

  it('leaves the slot that it gave up to the version that waits for it, however busy that is', async () => {
    await world.addTask();
    const runOld = createShift(world.ports);
    const old = runOld({ owner: 'old' });
    await world.clock.advance(SHIFT_TIMES.pollMs);
    const waiting = { kind: 'pull', owner: 'new', codeVersion: 'v2' } as const;
    await world.slots.standBy({ kind: 'pull', slot: 0 }, waiting, SHIFT_TIMES.leaseMs);
    await world.clock.advance(2 * SHIFT_TIMES.renewMs + SHIFT_TIMES.takeoverMs);
    expect(await old).toMatchObject({ place: 'slot' });
    expect(await runOld({ owner: 'old, again' })).toEqual({ place: 'none', lanes: 0 });
    expect((await world.slots.list('pull'))[0]).not.toHaveProperty('owner');

    // It never came.
    await world.clock.advance(2 * SHIFT_TIMES.leaseMs);
    const ending = new AbortController();
    void runOld({ owner: 'old, at last', signal: ending.signal });
    await world.clock.advance(0);
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(world.open()).toHaveLength(1);
    ending.abort();
    await world.clock.advance(SHIFT_TIMES.takeoverMs);
  });

  it('leaves what is too much for it to another shift, for which there is a slot', async () => {
    for (let task = 0; task < 5; task += 1) await world.addTask();
    await world.begin('a', { ...world.inFunction(), capacity: 3 });
    expect(world.open()).toHaveLength(3);
    await world.begin('b', { ...world.inFunction(), capacity: 3 });
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(new Set(taskIdsOf(world.open())).size).toBe(5);
  });

  it('takes over what a killed shift held once its leases have run out', async () => {
    await world.addTask();
    const frozen = { ...world.clock, sleep: () => new Promise<void>(() => undefined) };
    await world.begin('killed', { ...world.inFunction(), clock: frozen });
    expect(world.lanes).toHaveLength(0);
    const other = await world.begin('b', world.inFunction());
    expect((await other.report).place).toBe('none');
    await world.clock.advance(SHIFT_TIMES.leaseMs);
    await world.begin('c', world.inFunction());
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(world.open()).toHaveLength(1);
  });

  it('asks less and less often for a lane that others hold', async () => {
    const taskId = await world.addTask();
    const other = await world.leases.acquire({ taskId, lane: 0 }, 'other', 20 * MINUTE_MS);
    let asked = 0;
    const { leases } = world;
    const counting = {
      ...leases,
      acquire: (...args: Parameters<typeof leases.acquire>) => {
        asked += 1;
        return leases.acquire(...args);
      },
    };
    await world.begin('a', { ...world.inFunction(), leases: counting });
    await world.clock.advance(5 * MINUTE_MS);
    // Sixty at an even pace.
    expect(asked).toBeLessThan(35);
    if (other !== undefined) await leases.release(other.lease);
    await world.clock.advance(MINUTE_MS);
    expect(world.open()).toHaveLength(1);
  });

  it.each([10_000, 2 * SHIFT_TIMES.leaseMs - 1_000])(
    'has a lane again within seconds that another took for %i ms',
    async (takenMs) => {
      const taskId = await world.addTask();
      await world.begin('a', world.inFunction());
      const [record] = await world.leases.list(taskId);
      await world.leases.release({ taskId, lane: 0, owner: 'a', epoch: record?.epoch ?? 0, expiresAtMs: 0 });
      await world.leases.acquire({ taskId, lane: 0 }, 'other', takenMs);
      await world.clock.advance(takenMs - 1);
      expect(world.open()).toEqual([]);
      // Three quarters of the pace that it keeps with a lane that others hold on to.
      await world.clock.advance(1 + 0.75 * SHIFT_TIMES.heldElsewhereMs + 2 * SHIFT_TIMES.pollMs);
      expect(world.open()).toHaveLength(1);
    },
  );

  it('asks as often as at first for a lane that was not given back in a long hand-over', async () => {
    await world.addTask();
    const slowly = (context: LaneContext) => ({
      ...world.ports.openLane(context),
      drain: () => world.clock.sleep(SHIFT_TIMES.drainMs),
    });
    await world.begin('old', { ...world.inFunction(), openLane: slowly });
    const taskId = await world.addTask();
    const other = await world.leases.acquire({ taskId, lane: 0 }, 'other', 20 * MINUTE_MS);
    await world.begin('new', { ...world.inFunction(), codeVersion: 'v2' });
    await world.clock.advance(SHIFT_TIMES.renewMs + SHIFT_TIMES.drainMs + 2 * SHIFT_TIMES.takeoverMs);
    expect(await world.slots.list('pull')).toMatchObject([{ owner: 'new' }]);
    if (other !== undefined) await world.leases.release(other.lease);
    await world.clock.advance(2 * SHIFT_TIMES.heldElsewhereMs);
    expect(new Set(taskIdsOf(world.open())).size).toBe(2);
  });
});

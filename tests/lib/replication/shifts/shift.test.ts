import { beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { SHIFT_TIMES } from '../../../../lib/replication/shifts/shift-times.ts';
import { createShiftWorld, type ShiftWorld, taskIdsOf } from '../../../helpers/shift-world.ts';
import { newTaskWith } from '../../../helpers/tasks.ts';

const MINUTE_MS = 60_000;
const closed = new BrokerUnavailableError('closed', { code: 'CONNECTION_CLOSED' });
const reset = new BrokerUnavailableError('reset', { code: 'CONNECTION_RESET' });
const FOREIGN = { status: 'failed', reason: { code: 'CLIENT_ID_TAKEN' } };
const lost = new BrokerUnavailableError('lost', { code: 'CONNECTION_LOST' });
const away = new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' });

describe('createShift', () => {
  let world: ShiftWorld;

  beforeEach(async () => {
    world = await createShiftWorld();
  });

  it('has nothing to do without tasks, and says so without taking a slot', async () => {
    const { report } = await world.begin('a', world.inFunction());
    expect(await report).toEqual({ place: 'none', lanes: 0 });
    expect(await world.slots.list('pull')).toEqual([]);
  });

  it('opens every lane of every task, with its ends and a lease', async () => {
    const [first, second] = [await world.addTask(), await world.addTask(2)];
    await world.begin('a', world.inFunction());
    expect(taskIdsOf(world.open()).sort()).toEqual([first, second, second].sort());
    expect(world.lanes[0]?.context).toMatchObject({
      source: { clusterId: 'devices' },
      target: { clusterId: 'business' },
      mode: 'forward',
    });
    expect(world.lanes.every(({ context }) => context.isOurs())).toBe(true);
    expect(await world.leases.list(second)).toMatchObject([
      { lane: 0, owner: 'a' },
      { lane: 1, owner: 'a' },
    ]);
  });

  it('finds a started task within a second, and gives back a paused one', async () => {
    const first = await world.addTask();
    await world.begin('a', world.inFunction());
    const second = await world.addTask();
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(taskIdsOf(world.open())).toEqual([first, second]);
    await world.roster.remove('pull', first);
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(taskIdsOf(world.open())).toEqual([second]);
    expect(world.lanes[0]?.drainedAtMs).toBeDefined();
    expect((await world.leases.list(first))[0]).not.toHaveProperty('owner');
  });

  it.each([{ version: 2 }, { mode: 'buffer' as const }])('opens a lane anew for %j', async (change) => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    await world.roster.put('pull', { taskId, version: 1, mode: 'forward', lanes: 1, ...change });
    await world.clock.advance(2 * SHIFT_TIMES.pollMs);
    expect(world.lanes).toHaveLength(2);
    expect(world.lanes[0]?.closedAtMs).toBeDefined();
    expect(world.open()).toHaveLength(1);
  });

  it('keeps its leases for as long as it works, and tells what its lanes are at', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    await world.clock.advance(5 * SHIFT_TIMES.leaseMs);
    expect(world.lanes).toHaveLength(1);
    expect(world.lanes[0]?.context.isOurs()).toBe(true);
    expect(await world.leases.list(taskId)).toMatchObject([
      { owner: 'a', state: { mode: 'forward', version: 1, isEffective: true } },
    ]);
  });

  it('opens a lane again that failed, later and later, and no other one notices', async () => {
    const bad = await world.addTask();
    const good = await world.addTask();
    await world.begin('a', world.inFunction());
    const openings = () => world.lanes.filter(({ context }) => context.task.taskId === bad);
    for (let failures = 0; failures < 5; failures += 1) {
      openings().at(-1)?.end(world.failed(away));
      await world.clock.advance(31_000);
      expect(openings()).toHaveLength(failures + 2);
    }
    const gaps = openings().map(({ openedAtMs }) => openedAtMs);
    expect(gaps.toSorted((one, other) => one - other)).toEqual(gaps);
    expect(taskIdsOf(world.lanes).filter((taskId) => taskId === good)).toHaveLength(1);
    expect(await world.tasks.get(bad)).toMatchObject({
      status: 'degraded',
      reason: { code: 'TARGET_UNREACHABLE', about: 'source' },
    });
  });

  it('notices within seconds that a source is back which was away for long', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    for (let failures = 0; failures < 12; failures += 1) {
      world.lanes.at(-1)?.end(world.failed(away));
      // It begins to wait.
      await world.clock.advance(0);
      await world.clock.advance(3_200);
      expect(taskIdsOf(world.lanes)).toEqual(Array.from({ length: failures + 2 }, () => taskId));
    }
  });

  it('renews a lease a second later when the table did not answer', async () => {
    const taskId = await world.addTask();
    const { leases } = world;
    let refusals = 3;
    const flaky = {
      ...leases,
      renew: async (...args: Parameters<typeof leases.renew>) => {
        refusals -= 1;
        if (refusals > 0) throw new Error('throttled');
        return leases.renew(...args);
      },
    };
    await world.begin('a', { ...world.inFunction(), leases: flaky });
    refusals = 3;
    await world.clock.advance(SHIFT_TIMES.renewMs + 2 * SHIFT_TIMES.renewAgainMs);
    expect(await leases.list(taskId)).toMatchObject([
      { owner: 'a', expiresAtMs: world.clock.now() + SHIFT_TIMES.leaseMs },
    ]);
  });

  it('publishes nothing more by a lease that could not be renewed, before another may have it', async () => {
    const taskId = await world.addTask();
    const { leases } = world;
    let isAway = false;
    const flaky = {
      ...leases,
      renew: (...args: Parameters<typeof leases.renew>) =>
        isAway ? Promise.reject(new Error('throttled')) : leases.renew(...args),
      acquire: (...args: Parameters<typeof leases.acquire>) =>
        isAway ? Promise.reject(new Error('throttled')) : leases.acquire(...args),
    };
    await world.begin('a', { ...world.inFunction(), leases: flaky });
    isAway = true;
    const [lane] = world.lanes;
    let freeAtMs: number | undefined;
    let quietAtMs: number | undefined;
    for (let ms = 0; ms < 2 * SHIFT_TIMES.leaseMs && freeAtMs === undefined; ms += 500) {
      await world.clock.advance(500);
      if (quietAtMs === undefined && lane?.context.isOurs() === false) quietAtMs = world.clock.now();
      if ((await leases.acquire({ taskId, lane: 0 }, 'other', 1_000)) !== undefined)
        freeAtMs = world.clock.now();
    }
    expect(quietAtMs).toBeLessThan(freeAtMs ?? 0);
    expect(lane?.closedAtMs).toBeLessThanOrEqual(freeAtMs ?? 0);
  });

  it('closes a lane whose lease another shift has, at its next renewal, without draining it', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    const [record] = await world.leases.list(taskId);
    // As if our clock had stood still.
    await world.leases.release({ taskId, lane: 0, owner: 'a', epoch: record?.epoch ?? 0, expiresAtMs: 0 });
    await world.leases.acquire({ taskId, lane: 0 }, 'other', 10 * MINUTE_MS);
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(world.lanes[0]?.closedAtMs).toBeDefined();
    expect(world.lanes[0]?.drainedAtMs).toBeUndefined();
    expect(world.lanes[0]?.context.isOurs()).toBe(false);
  });

  it('tells with each renewal when the target has last taken a message of the lane', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect((await world.leases.list(taskId))[0]?.state).not.toHaveProperty('lastStoredAtMs');
    const [lane] = world.lanes;
    const atMs = world.clock.now();
    if (lane !== undefined) lane.lastStoredAtMs = atMs;
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(await world.leases.list(taskId)).toMatchObject([{ state: { lastStoredAtMs: atMs } }]);
  });

  it('holds a lane that is done until the roster asks for nothing more', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    world.lanes[0]?.end({ reason: 'done' });
    await world.clock.advance(3 * SHIFT_TIMES.leaseMs);
    expect(world.lanes).toHaveLength(1);
    expect(await world.leases.list(taskId)).toMatchObject([{ owner: 'a', state: { isEffective: true } }]);
    await world.roster.remove('pull', taskId);
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect((await world.leases.list(taskId))[0]).not.toHaveProperty('owner');
  });

  it.each([
    ['fails', 'three times without a word', 3, closed, FOREIGN],
    [
      'does not fail',
      'three times by a reset',
      3,
      reset,
      { status: 'degraded', reason: { code: reset.code } },
    ],
    ['fails', 'ten times within a minute by a reset', 10, reset, FOREIGN],
    ['does not fail', 'by a broker of MQTT 5, without a word', 12, lost, { status: 'degraded' }],
    [
      'does not fail',
      'for a reason',
      3,
      away,
      { status: 'degraded', reason: { code: 'TARGET_UNREACHABLE' } },
    ],
  ] as const)('%s a task that is thrown out again and again, %s', async (_, _how, times, error, expected) => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
    for (let closes = 1; closes <= times; closes += 1) {
      const lane = world.lanes.at(-1);
      lane?.context.health.working();
      await world.clock.advance(0);
      lane?.end(world.failed(error));
      await world.clock.advance(closes === times ? 0 : 4_000);
    }
    expect(await world.tasks.get(taskId)).toMatchObject(expected);
  });

  it('ends when the stack is being removed', async () => {
    const taskId = await world.addTask();
    const { report } = await world.begin('a', world.inFunction());
    await world.stack.markRemoving(new Date(world.clock.now()).toISOString());
    await world.clock.advance(11_000 + SHIFT_TIMES.takeoverMs);
    expect(await report).toEqual({ place: 'slot', lanes: 1 });
    expect((await world.leases.list(taskId))[0]).not.toHaveProperty('owner');
    expect((await (await world.begin('b', world.inFunction())).report).place).toBe('none');
  });

  it('ends when it has been idle for as long as its option says', async () => {
    await world.addTask();
    const { report } = await world.begin('a', { ...world.inFunction(), idleEndMs: 30_000 });
    await world.clock.advance(20_000);
    const [lane] = world.lanes;
    if (lane !== undefined) lane.lastMessageAtMs = world.clock.now();
    await world.clock.advance(25_000);
    expect(lane?.closedAtMs).toBeUndefined();
    await world.clock.advance(10_000);
    expect(await report).toMatchObject({ lanes: 1 });
  });

  it('opens a lane anew when a cluster has changed', async () => {
    await world.addTask();
    await world.begin('a', world.inFunction());
    const business = await world.clusters.get('business');
    if (business === undefined) throw new Error('business is registered');
    const { clusterId, version, createdAt: _, updatedAt: _u, ...input } = business;
    const at = new Date(world.clock.now()).toISOString();
    await world.clusters.put(clusterId, input, { at, expectedVersion: version });
    await world.clock.advance(4 * SHIFT_TIMES.renewMs);
    expect(world.lanes).toHaveLength(2);
    expect(world.lanes[0]?.drainedAtMs).toBeDefined();
    expect(world.lanes[1]?.context.target.version).toBe(version + 1);
  });

  it('ends lanes that a task has no more, whatever the others do', async () => {
    const taskId = await world.addTask(3);
    await world.begin('a', world.inFunction());
    await world.roster.put('pull', { taskId, version: 1, mode: 'forward', lanes: 1, endedLanes: 3 });
    await world.clock.advance(2 * SHIFT_TIMES.pollMs);
    const openNow = world.open().map(({ context }) => `${context.lane} ${context.mode}`);
    expect(openNow.toSorted()).toEqual(['0 forward', '1 end', '2 end']);
  });

  it('ends what an earlier definition has at its source by that definition', async () => {
    const { task } = await world.tasks.create(newTaskWith());
    const edited = { ...task.definition, description: 'edited' };
    await world.tasks.saveDefinition({ ...task, expectedVersion: 1, definition: edited, at: task.createdAt });
    await world.roster.put('pull', { taskId: task.taskId, version: 1, mode: 'end', lanes: 1 });
    await world.begin('a', world.inFunction());
    expect(world.lanes[0]?.context.task).toMatchObject({ version: 1, definition: task.definition });
  });

  it('connects again at once after an attempt that was waited for, and later after one that was refused', async () => {
    await world.addTask();
    await world.begin('a', world.inFunction());
    const refuse = async () => {
      world.lanes.at(-1)?.end(world.failed(away));
      await world.clock.advance(0);
    };
    for (let closes = 0; closes < 4; closes += 1) {
      await refuse();
      await world.clock.advance(2_500);
    }
    const before = world.lanes.length;
    await world.clock.advance(5_000);
    await refuse();
    await world.clock.advance(200);
    expect(world.lanes).toHaveLength(before + 1);
    await refuse();
    await world.clock.advance(300);
    expect(world.lanes).toHaveLength(before + 1);
    await world.clock.advance(900);
    expect(world.lanes).toHaveLength(before + 2);
  });

  it('goes on with the other lanes when one cannot be asked for', async () => {
    const taskIds = [await world.addTask(), await world.addTask(), await world.addTask()];
    const { leases } = world;
    const flaky = {
      ...leases,
      acquire: (...args: Parameters<typeof leases.acquire>) =>
        args[0].taskId === taskIds[0] ? Promise.reject(new Error('throttled')) : leases.acquire(...args),
    };
    await world.begin('a', { ...world.inFunction(), leases: flaky });
    expect(taskIdsOf(world.open()).toSorted()).toEqual(taskIds.slice(1).toSorted());
  });

  it('goes on while the table is away for a moment', async () => {
    await world.addTask();
    const { roster } = world;
    let isAway = false;
    const flaky = {
      ...roster,
      read: (kind: 'pull' | 'session') =>
        isAway ? Promise.reject(new Error('throttled')) : roster.read(kind),
    };
    await world.begin('a', { ...world.inFunction(), roster: flaky });
    isAway = true;
    await world.clock.advance(10_000);
    expect(world.open()).toHaveLength(1);
    isAway = false;
    await world.addTask();
    await world.clock.advance(2 * SHIFT_TIMES.pollMs);
    expect(world.open()).toHaveLength(2);
  });
});

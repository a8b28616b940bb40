import { beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerHoldError, BrokerUnavailableError } from '../../../../lib/domain/errors.ts';
import type { LaneContext } from '../../../../lib/replication/shifts/lane.ts';
import { createShift } from '../../../../lib/replication/shifts/shift.ts';
import { SHIFT_TIMES } from '../../../../lib/replication/shifts/shift-times.ts';
import { createShiftWorld } from '../../../helpers/shift-world.ts';
import { newTaskWith } from '../../../helpers/tasks.ts';

type World = Awaited<ReturnType<typeof createShiftWorld>>;
const MINUTE_MS = 60_000;
const FUNCTION_MS = 15 * MINUTE_MS;
const closed = new BrokerUnavailableError('closed', { code: 'CONNECTION_CLOSED' });
const reset = new BrokerUnavailableError('reset', { code: 'CONNECTION_RESET' });
const FOREIGN = { status: 'failed', reason: { code: 'CLIENT_ID_TAKEN' } };
const lost = new BrokerUnavailableError('lost', { code: 'CONNECTION_LOST' });
const taken = new BrokerHoldError('taken', { code: 'CLIENT_ID_TAKEN', scope: 'cluster' });
const away = new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' });

describe('createShift', () => {
  let world: World;

  beforeEach(async () => {
    world = await createShiftWorld();
  });

  const inFunction = () => ({ deadlineMs: world.clock.now() + FUNCTION_MS });
  const taskIdsOf = (lanes: World['lanes']) => lanes.map(({ context }) => context.task.taskId);

  it('has nothing to do without tasks, and says so without taking a slot', async () => {
    const { report } = await world.begin('a', inFunction());
    expect(await report).toEqual({ place: 'none', lanes: 0 });
    expect(await world.slots.list('pull')).toEqual([]);
  });

  it('opens every lane of every task, with its ends and a lease', async () => {
    const [first, second] = [await world.addTask(), await world.addTask(2)];
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
    await world.roster.put('pull', { taskId, version: 1, mode: 'forward', lanes: 1, ...change });
    await world.clock.advance(2 * SHIFT_TIMES.pollMs);
    expect(world.lanes).toHaveLength(2);
    expect(world.lanes[0]?.closedAtMs).toBeDefined();
    expect(world.open()).toHaveLength(1);
  });

  it('keeps its leases for as long as it works, and tells what its lanes are at', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
    for (let failures = 0; failures < 12; failures += 1) {
      world.lanes.at(-1)?.end(world.failed(away));
      // It begins to wait.
      await world.clock.advance(0);
      await world.clock.advance(3_200);
      expect(taskIdsOf(world.lanes)).toEqual(Array.from({ length: failures + 2 }, () => taskId));
    }
  });

  it('says at its next renewal that a task runs, when the table did not take it', async () => {
    const { tasks } = world;
    let isAway = true;
    const flaky = {
      ...tasks,
      reportLane: (...args: Parameters<typeof tasks.reportLane>) =>
        isAway ? Promise.reject(new Error('no connection')) : tasks.reportLane(...args),
    };
    const taskId = await world.addTask();
    await world.begin('a', { tasks: flaky, ...inFunction() });
    // Said once by the lane: nothing happens on it afterwards.
    world.lanes[0]?.context.health.working();
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(await tasks.get(taskId)).toMatchObject({ status: 'starting' });
    isAway = false;
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(await tasks.get(taskId)).toMatchObject({ status: 'running' });
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
    await world.begin('a', { ...inFunction(), leases: flaky });
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
    await world.begin('a', { ...inFunction(), leases: flaky });
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
    for (let closes = 1; closes <= times; closes += 1) {
      const lane = world.lanes.at(-1);
      lane?.context.health.working();
      await world.clock.advance(0);
      lane?.end(world.failed(error));
      await world.clock.advance(closes === times ? 0 : 4_000);
    }
    expect(await world.tasks.get(taskId)).toMatchObject(expected);
  });

  it('does not take the next owner of a lane for a foreign client', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
    world.lanes[0]?.context.health.working();
    await world.clock.advance(0);
    const [record] = await world.leases.list(taskId);
    await world.leases.release({ taskId, lane: 0, owner: 'a', epoch: record?.epoch ?? 0, expiresAtMs: 0 });
    await world.leases.acquire({ taskId, lane: 0 }, 'other', 10 * MINUTE_MS);
    world.lanes[0]?.end(world.failed(taken));
    await world.clock.advance(MINUTE_MS);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'running' });
    expect(world.lanes).toHaveLength(1);
  });

  it('believes that a client is foreign only when the table confirms the lease', async () => {
    const taskId = await world.addTask();
    const { leases } = world;
    let isAway = false;
    const flaky = {
      ...leases,
      renew: (...args: Parameters<typeof leases.renew>) =>
        isAway ? Promise.reject(new Error('throttled')) : leases.renew(...args),
    };
    await world.begin('a', { ...inFunction(), leases: flaky });
    isAway = true;
    world.lanes[0]?.end(world.failed(taken));
    await world.clock.advance(1_000);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'starting' });
    isAway = false;
    await world.clock.advance(1_000);
    expect(world.lanes).toHaveLength(2);
    world.lanes[1]?.end(world.failed(taken));
    await world.clock.advance(1_000);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'failed' });
  });

  it('keeps an event of each outage, and of its end', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
    const { health } = world.lanes[0]?.context ?? {};
    health?.working();
    await world.clock.advance(0);
    for (const error of [away, lost, away]) {
      health?.failing(error);
      await world.clock.advance(0);
    }
    health?.working();
    await world.clock.advance(0);
    const { items } = await world.tasks.listEvents(taskId, { limit: 10 });
    expect(items.slice(0, 3)).toMatchObject([
      { code: 'TASK_RUNNING' },
      { code: 'TASK_DEGRADED', details: { reason: 'TARGET_UNREACHABLE' } },
      { code: 'TASK_RUNNING' },
    ]);
  });

  it('does not take refused connections for a foreign client', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
    for (let closes = 0; closes < 4; closes += 1) {
      world.lanes.at(-1)?.end(world.failed(away));
      await world.clock.advance(2_500);
    }
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'degraded' });
  });

  it('fails a task after an hour of the same refusal', async () => {
    const taskId = await world.addTask();
    await world.begin('process');
    const refused = new BrokerHoldError('wrong password', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' });
    world.lanes[0]?.context.health.failing(refused);
    await world.clock.advance(59 * MINUTE_MS);
    world.lanes[0]?.context.health.failing(refused);
    await world.clock.advance(0);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'degraded' });
    await world.clock.advance(MINUTE_MS);
    world.lanes[0]?.context.health.failing(refused);
    await world.clock.advance(0);
    expect(await world.tasks.get(taskId)).toMatchObject({
      status: 'failed',
      reason: { code: 'CREDENTIALS_REFUSED' },
    });
  });

  it('hands over to its standby, lane by lane, without a gap, 20 times in a row', async () => {
    const taskIds = [await world.addTask(), await world.addTask(2)];
    let current = await world.begin('shift 0', inFunction());
    for (let shift = 1; shift <= 20; shift += 1) {
      await world.clock.advance(FUNCTION_MS - 2 * MINUTE_MS);
      expect((await (await world.begin('early', inFunction())).report).place).toBe('none');
      await world.clock.advance(MINUTE_MS - 20_000);
      const next = await world.begin(`shift ${shift}`, inFunction());
      expect((await (await world.begin('third', inFunction())).report).place).toBe('none');
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
    const old = await world.begin('old', inFunction());
    await world.clock.advance(FUNCTION_MS - MINUTE_MS - 20_000);
    await world.begin('new', inFunction());
    await world.clock.advance(20_000 + SHIFT_TIMES.renewMs);
    expect(world.lanes).toHaveLength(2);
    const [first, second] = world.lanes;
    await world.clock.advance(SHIFT_TIMES.takeoverMs);
    expect((await old.report).place).toBe('slot');
    expect(first?.closedAtMs).toBeGreaterThanOrEqual(second?.openedAtMs ?? Number.POSITIVE_INFINITY);
  });

  it('says nothing more of a lane that another has taken over', async () => {
    const taskId = await world.addTask();
    await world.begin('old', inFunction());
    world.lanes[0]?.context.health.working();
    await world.clock.advance(FUNCTION_MS - MINUTE_MS - 20_000);
    await world.begin('new', inFunction());
    await world.clock.advance(20_000 + SHIFT_TIMES.renewMs);
    const [first, second] = world.lanes;
    second?.context.health.working();
    await world.clock.advance(0);
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
    const { report } = await world.begin('a', inFunction());
    await world.clock.advance(FUNCTION_MS - SHIFT_TIMES.handOverBeforeMs / 2 + 4_000);
    expect(await report).toEqual({ place: 'slot', lanes: 1 });
    expect((await world.leases.list(taskId))[0]).not.toHaveProperty('owner');
    expect((await world.slots.list('pull'))[0]).not.toHaveProperty('owner');
  });

  it('gives way at once to a shift of another version, but a process gives way to no function', async () => {
    await world.addTask();
    const old = await world.begin('old', inFunction());
    await world.begin('new', { ...inFunction(), codeVersion: 'v2' });
    await world.clock.advance(2 * SHIFT_TIMES.renewMs + SHIFT_TIMES.takeoverMs);
    expect(await old.report).toMatchObject({ place: 'slot' });
    expect(world.open()).toHaveLength(1);

    const process = await world.begin('process', { codeVersion: 'process' });
    await world.clock.advance(2 * SHIFT_TIMES.renewMs + SHIFT_TIMES.takeoverMs);
    expect(await world.slots.list('pull')).toMatchObject([{ owner: 'process' }]);
    expect((await (await world.begin('tick', inFunction())).report).place).toBe('none');
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
    await world.begin('a', { ...inFunction(), capacity: 3 });
    expect(world.open()).toHaveLength(3);
    await world.begin('b', { ...inFunction(), capacity: 3 });
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(new Set(taskIdsOf(world.open())).size).toBe(5);
  });

  it('takes over what a killed shift held once its leases have run out', async () => {
    await world.addTask();
    const frozen = { ...world.clock, sleep: () => new Promise<void>(() => undefined) };
    await world.begin('killed', { ...inFunction(), clock: frozen });
    expect(world.lanes).toHaveLength(0);
    const other = await world.begin('b', inFunction());
    expect((await other.report).place).toBe('none');
    await world.clock.advance(SHIFT_TIMES.leaseMs);
    await world.begin('c', inFunction());
    await world.clock.advance(SHIFT_TIMES.pollMs);
    expect(world.open()).toHaveLength(1);
  });

  it('ends when the stack is being removed', async () => {
    const taskId = await world.addTask();
    const { report } = await world.begin('a', inFunction());
    await world.stack.markRemoving(new Date(world.clock.now()).toISOString());
    await world.clock.advance(11_000 + SHIFT_TIMES.takeoverMs);
    expect(await report).toEqual({ place: 'slot', lanes: 1 });
    expect((await world.leases.list(taskId))[0]).not.toHaveProperty('owner');
    expect((await (await world.begin('b', inFunction())).report).place).toBe('none');
  });

  it('ends when it has been idle for as long as its option says', async () => {
    await world.addTask();
    const { report } = await world.begin('a', { ...inFunction(), idleEndMs: 30_000 });
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
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
    await world.begin('a', inFunction());
    expect(world.lanes[0]?.context.task).toMatchObject({ version: 1, definition: task.definition });
  });

  it('leaves a task that has failed alone, until its user starts it again', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
    world.lanes[0]?.end(world.failed(taken));
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.lanes).toHaveLength(1);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'failed' });
    expect(await world.leases.list(taskId)).toMatchObject([{ owner: 'a' }]);
  });

  it('closes a lane whose task it has failed: a target that takes messages again would make the status a lie', async () => {
    const taskId = await world.addTask();
    await world.begin('process');
    world.lanes[0]?.context.health.failing(taken);
    await world.clock.advance(MINUTE_MS);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'failed' });
    expect(world.lanes).toHaveLength(1);
    expect(world.open()).toEqual([]);
  });

  it('opens no lane of a task that another shift has failed', async () => {
    const taskId = await world.addTask();
    const first = await world.begin('a', inFunction());
    world.lanes[0]?.end(world.failed(taken));
    await world.clock.advance(1_000);
    first.end();
    await world.clock.advance(5_000);
    await first.report;
    await world.begin('b', inFunction());
    await world.clock.advance(MINUTE_MS);
    expect(await world.leases.list(taskId)).toMatchObject([{ owner: 'b' }]);
    expect(world.lanes).toHaveLength(1);
  });

  it('says at its next renewal that a task has failed, when the table did not take it', async () => {
    const taskId = await world.addTask();
    let isAway = true;
    const reportLane: typeof world.tasks.reportLane = (...report) =>
      isAway ? Promise.reject(new Error('throttled')) : world.tasks.reportLane(...report);
    await world.begin('process', { tasks: { ...world.tasks, reportLane } });
    world.lanes[0]?.end(world.failed(taken));
    await world.clock.advance(1_000);
    expect(await world.tasks.get(taskId)).toMatchObject({ status: 'starting' });
    isAway = false;
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(await world.tasks.get(taskId)).toMatchObject(FOREIGN);
    expect(world.lanes).toHaveLength(1);
  });

  it('tells at once that a lane is in effect', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
    world.lanes[0]?.context.health.working();
    await world.clock.advance(0);
    expect(await world.leases.list(taskId)).toMatchObject([{ state: { isEffective: true } }]);
  });

  it('says again within a minute what could not be said when it was true', async () => {
    const taskId = await world.addTask();
    await world.begin('a', inFunction());
    const lease = await world.tasks.acquireLease(taskId, 'converge', MINUTE_MS);
    if (lease === undefined) throw new Error('the task is leased');
    const reason = { code: 'CONCURRENCY_EXHAUSTED', message: 'none free', at: new Date().toISOString() };
    await world.tasks.saveProgress(lease, { status: 'degraded', reason });
    world.lanes[0]?.context.health.failing(away);
    await world.clock.advance(0);
    expect(await world.tasks.get(taskId)).toMatchObject({ reason: { code: 'CONCURRENCY_EXHAUSTED' } });
    await world.tasks.saveProgress(lease, { status: 'running', reason: null });
    await world.clock.advance(MINUTE_MS);
    expect(await world.tasks.get(taskId)).toMatchObject({ reason: { code: 'TARGET_UNREACHABLE' } });
  });

  it('does not say again that one lane works while another is failing', async () => {
    const taskId = await world.addTask(2);
    await world.begin('a', inFunction());
    const [first, second] = world.lanes;
    first?.context.health.working();
    await world.clock.advance(0);
    second?.context.health.failing(away);
    for (let minute = 0; minute < 3; minute += 1) {
      await world.clock.advance(MINUTE_MS);
      expect(await world.tasks.get(taskId)).toMatchObject({ status: 'degraded' });
    }
    const events = await world.tasks.listEvents(taskId, { limit: 10 });
    expect(events.items.filter(({ code }) => code === 'TASK_RUNNING')).toHaveLength(1);
  });

  it('connects again at once after an attempt that was waited for, and later after one that was refused', async () => {
    await world.addTask();
    await world.begin('a', inFunction());
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
    await world.clock.advance(700);
    expect(world.lanes).toHaveLength(before + 1);
    await world.clock.advance(1_800);
    expect(world.lanes).toHaveLength(before + 2);
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
    await world.begin('a', { ...inFunction(), leases: counting });
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
      await world.begin('a', inFunction());
      const [record] = await world.leases.list(taskId);
      await world.leases.release({ taskId, lane: 0, owner: 'a', epoch: record?.epoch ?? 0, expiresAtMs: 0 });
      await world.leases.acquire({ taskId, lane: 0 }, 'other', takenMs);
      await world.clock.advance(takenMs - 1);
      expect(world.open()).toEqual([]);
      await world.clock.advance(1 + 1.5 * SHIFT_TIMES.heldElsewhereMs + 2 * SHIFT_TIMES.pollMs);
      expect(world.open()).toHaveLength(1);
    },
  );

  it('asks as often as at first for a lane that was not given back in a long hand-over', async () => {
    await world.addTask();
    const slowly = (context: LaneContext) => ({
      ...world.ports.openLane(context),
      drain: () => world.clock.sleep(SHIFT_TIMES.drainMs),
    });
    await world.begin('old', { ...inFunction(), openLane: slowly });
    const taskId = await world.addTask();
    const other = await world.leases.acquire({ taskId, lane: 0 }, 'other', 20 * MINUTE_MS);
    await world.begin('new', { ...inFunction(), codeVersion: 'v2' });
    await world.clock.advance(SHIFT_TIMES.renewMs + SHIFT_TIMES.drainMs + 2 * SHIFT_TIMES.takeoverMs);
    expect(await world.slots.list('pull')).toMatchObject([{ owner: 'new' }]);
    if (other !== undefined) await world.leases.release(other.lease);
    await world.clock.advance(2 * SHIFT_TIMES.heldElsewhereMs);
    expect(new Set(taskIdsOf(world.open())).size).toBe(2);
  });

  it('goes on with the other lanes when one cannot be asked for', async () => {
    const taskIds = [await world.addTask(), await world.addTask(), await world.addTask()];
    const { leases } = world;
    const flaky = {
      ...leases,
      acquire: (...args: Parameters<typeof leases.acquire>) =>
        args[0].taskId === taskIds[0] ? Promise.reject(new Error('throttled')) : leases.acquire(...args),
    };
    await world.begin('a', { ...inFunction(), leases: flaky });
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
    await world.begin('a', { ...inFunction(), roster: flaky });
    isAway = true;
    await world.clock.advance(10_000);
    expect(world.open()).toHaveLength(1);
    isAway = false;
    await world.addTask();
    await world.clock.advance(2 * SHIFT_TIMES.pollMs);
    expect(world.open()).toHaveLength(2);
  });
});

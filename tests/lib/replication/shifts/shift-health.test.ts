import { beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerHoldError, BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { SHIFT_TIMES } from '../../../../lib/replication/shifts/shift-times.ts';
import { createShiftWorld, type ShiftWorld } from '../../../helpers/shift-world.ts';

const MINUTE_MS = 60_000;
const FOREIGN = { status: 'failed', reason: { code: 'CLIENT_ID_TAKEN' } };
const lost = new BrokerUnavailableError('lost', { code: 'CONNECTION_LOST' });
const taken = new BrokerHoldError('taken', { code: 'CLIENT_ID_TAKEN', scope: 'cluster' });
const away = new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' });

describe('createShift', () => {
  let world: ShiftWorld;

  beforeEach(async () => {
    world = await createShiftWorld();
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
    await world.begin('a', { tasks: flaky, ...world.inFunction() });
    // Said once by the lane: nothing happens on it afterwards.
    world.lanes[0]?.context.health.working();
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(await tasks.get(taskId)).toMatchObject({ status: 'starting' });
    isAway = false;
    await world.clock.advance(SHIFT_TIMES.renewMs);
    expect(await tasks.get(taskId)).toMatchObject({ status: 'running' });
  });

  it('does not take the next owner of a lane for a foreign client', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
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
    await world.begin('a', { ...world.inFunction(), leases: flaky });
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
    await world.begin('a', world.inFunction());
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
    await world.begin('a', world.inFunction());
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

  it('leaves a task that has failed alone, until its user starts it again', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
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
    const first = await world.begin('a', world.inFunction());
    world.lanes[0]?.end(world.failed(taken));
    await world.clock.advance(1_000);
    first.end();
    await world.clock.advance(5_000);
    await first.report;
    await world.begin('b', world.inFunction());
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
    await world.begin('a', world.inFunction());
    world.lanes[0]?.context.health.working();
    await world.clock.advance(0);
    expect(await world.leases.list(taskId)).toMatchObject([{ state: { isEffective: true } }]);
  });

  it('says again within a minute what could not be said when it was true', async () => {
    const taskId = await world.addTask();
    await world.begin('a', world.inFunction());
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
    await world.begin('a', world.inFunction());
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
});

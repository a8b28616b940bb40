import { beforeEach, describe, expect, it } from '@jest/globals';
import { createManualClock, type ManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryLaneLeases } from '../../../../lib/adapters/memory/lane-leases.ts';
import { createLiveStatus, type LiveStatus } from '../../../../lib/control/tasks/live-status.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { LaneLeases } from '../../../../lib/ports/lane-leases.ts';

const LEASE_MS = 20_000;
const GRACE_MS = 2_000;
const state = { mode: 'forward', version: 1, isEffective: true } as const;

let clock: ManualClock;
let leases: LaneLeases;
let liveStatus: LiveStatus;

beforeEach(() => {
  clock = createManualClock();
  leases = createMemoryLaneLeases(clock);
  liveStatus = createLiveStatus({ leases, clock });
});

function runningTask(lanes = 1, more: Partial<Task> = {}): Task {
  const shift = {
    ...{ kind: 'pull', mode: 'forward', version: 1, lanes, mostLanes: lanes },
    ...{ sourceClusterId: 'business', sinceMs: 0, isTold: true },
  };
  return { taskId: 'task', status: 'running', resources: { rules: {}, shift }, ...more } as unknown as Task;
}

const acquired = async (lane: number, owner = 'a') => {
  const granted = await leases.acquire({ taskId: 'task', lane }, owner, LEASE_MS);
  if (granted === undefined) throw new Error('held');
  return granted.lease;
};

describe('createLiveStatus', () => {
  it('leaves a task running while its lanes are leased', async () => {
    const lease = await acquired(0);
    await clock.advance(LEASE_MS - 1);
    await leases.renew(lease, LEASE_MS, state);
    await clock.advance(LEASE_MS + GRACE_MS - 1);
    expect(await liveStatus(runningTask())).toEqual(runningTask());
  });

  it('says degraded when a lease has run out and nobody has taken it', async () => {
    await acquired(0);
    const endMs = clock.now() + LEASE_MS;
    await clock.advance(LEASE_MS + GRACE_MS);
    expect(await liveStatus(runningTask())).toMatchObject({
      status: 'degraded',
      reason: { code: 'NO_SHIFT', at: new Date(endMs).toISOString() },
    });
    await acquired(0, 'b');
    expect(await liveStatus(runningTask())).toMatchObject({ status: 'running' });
  });

  it('gives a lane that was handed back as long as its lease would have lasted', async () => {
    await leases.release(await acquired(0));
    await clock.advance(LEASE_MS);
    expect(await liveStatus(runningTask())).toMatchObject({ status: 'running' });
    await clock.advance(GRACE_MS);
    expect(await liveStatus(runningTask())).toMatchObject({ status: 'degraded' });
  });

  it('asks for all lanes of the task', async () => {
    await acquired(0);
    expect(await liveStatus(runningTask(2))).toMatchObject({ reason: { code: 'NO_SHIFT' } });
    await acquired(1);
    expect(await liveStatus(runningTask(2))).toMatchObject({ status: 'running' });
  });

  it.each([
    ['a task that is degraded by something else', runningTask(1, { status: 'degraded' })],
    ['a task of the rule path', { ...runningTask(), resources: { rules: {} } }],
  ])('has nothing to say of %s', async (_, task) => {
    expect(await liveStatus(task)).toBe(task);
  });
});

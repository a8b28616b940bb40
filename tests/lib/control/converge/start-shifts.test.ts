import { beforeEach, describe, expect, it } from '@jest/globals';
import { createManualClock, type ManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryShiftRoster, createMemoryShiftSlots } from '../../../../lib/adapters/memory/shifts.ts';
import { createStartShifts, type StartShifts } from '../../../../lib/control/converge/start-shifts.ts';
import { ControlPlaneError } from '../../../../lib/domain/errors/control-plane-error.ts';
import type { ShiftKind, ShiftRoster, ShiftSlots } from '../../../../lib/ports/shifts.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';

const LEASE_MS = 20_000;
const SLOT = { kind: 'pull', slot: 0 } as const;
const HOLDER = { owner: 'a', codeVersion: 'v1' };

let clock: ManualClock;
let roster: ShiftRoster;
let slots: ShiftSlots;
let started: ShiftKind[];
let failure: Error | undefined;
let startShifts: StartShifts;

beforeEach(async () => {
  clock = createManualClock();
  roster = createMemoryShiftRoster();
  slots = createMemoryShiftSlots(clock);
  started = [];
  failure = undefined;
  const starter = {
    async start(kind: ShiftKind) {
      if (failure !== undefined) throw failure;
      started.push(kind);
    },
  };
  startShifts = createStartShifts({ shifts: { roster, slots, starter }, clock, logger: silentLogger });
  await roster.put('pull', { taskId: 'task', version: 1, mode: 'forward', lanes: 1 });
});

async function taken() {
  const slot = await slots.take(SLOT, HOLDER, LEASE_MS);
  if (slot === undefined) throw new Error('held');
  return slot;
}

describe('createStartShifts', () => {
  it('starts one of each kind that has work and nobody who does it', async () => {
    expect(await startShifts({ onlyKilled: false })).toEqual({ isNeeded: true, started: 1 });
    expect(started).toEqual(['pull']);
    await taken();
    expect(await startShifts({ onlyKilled: false })).toEqual({ isNeeded: true, started: 0 });
  });

  it('replaces one that was killed as soon as its lease has run out', async () => {
    await taken();
    await clock.advance(LEASE_MS - 1);
    expect(await startShifts({ onlyKilled: true })).toMatchObject({ started: 0 });
    await clock.advance(1);
    expect(await startShifts({ onlyKilled: true })).toMatchObject({ started: 1 });
  });

  it('leaves one that has ended by itself to the schedule', async () => {
    await slots.release(await taken());
    expect(await startShifts({ onlyKilled: true })).toEqual({ isNeeded: true, started: 0 });
    expect(await startShifts({ onlyKilled: false })).toMatchObject({ started: 1 });
  });

  it('has nothing to do without work', async () => {
    await roster.remove('pull', 'task');
    expect(await startShifts({ onlyKilled: false })).toEqual({ isNeeded: false, started: 0 });
  });

  it('leaves a start that AWS refused to whoever looks next, and nothing else', async () => {
    failure = new ControlPlaneError('no answer', { code: 'CLOUD_UNAVAILABLE', reaction: 'not-yet' });
    expect(await startShifts({ onlyKilled: false })).toEqual({ isNeeded: true, started: 0 });
    failure = new Error('a defect');
    await expect(startShifts({ onlyKilled: false })).rejects.toThrow('a defect');
  });
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SHIFT_KINDS } from '../../../lib/ports/shifts.ts';
import type { ShiftTimes } from '../../../lib/replication/shifts/shift-times.ts';
import { handOverTrial } from '../../trials/hand-over.ts';
import { killTrial } from '../../trials/kill.ts';
import { describeRows, type Row } from '../../trials/rows.ts';
import { openStage, type Stage } from '../../trials/stage.ts';

jest.setTimeout(240_000);

/** What a killed shift held is free sooner than in earnest. */
const SHORT_LEASES: Partial<ShiftTimes> = {
  leaseMs: 4_000,
  renewMs: 1_000,
  marginMs: 500,
  heldElsewhereMs: 500,
  pollMs: 500,
};
const PER_SECOND = 200;
/** The figure itself is the trials': here only what a defect would make of it. */
const GAP_MS = 6_000;
/** The brokers have been at work for half a minute by then. */
const WARM_UP_MS = 5_000;

/** Small forms of `npm run trials`; both directions side by side, since they mostly wait. */
describe('shifts on real parts', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ maxQueueSize: 10_000 });
  }, 180_000);
  afterAll(() => stage.close(), 30_000);

  function expectKept(rows: readonly Row[]): void {
    process.stderr.write(`\n${describeRows(rows)}\n`);
    expect(rows.filter(({ isGood }) => !isGood)).toEqual([]);
  }

  it('lose nothing when they are killed, and keep the order', async () => {
    const trials = SHIFT_KINDS.map((kind) =>
      killTrial(stage, { kind, kills: 1, perSecond: PER_SECOND, isOrdered: true, times: SHORT_LEASES }),
    );
    expectKept((await Promise.all(trials)).flat());
  });

  it('hand over without a loss, and never work two at a time', async () => {
    const trials = SHIFT_KINDS.map((kind) =>
      handOverTrial(stage, {
        kind,
        handOvers: 2,
        perSecond: PER_SECOND,
        isOrdered: true,
        gapBarMs: GAP_MS,
        warmUpMs: WARM_UP_MS,
      }),
    );
    expectKept((await Promise.all(trials)).flat());
  });
});

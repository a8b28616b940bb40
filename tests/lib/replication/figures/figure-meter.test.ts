import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { minuteOf, sumOf, UNKNOWN_TIME } from '../../../../lib/domain/figures/figures.ts';
import type { FigureWrite, WitnessWrite } from '../../../../lib/ports/figure-store.ts';
import { createFigureMeters } from '../../../../lib/replication/figures/figure-meter.ts';
import { createRecordingLogger, TASK_ID } from '../../../helpers/rule-path.ts';

function createWorld() {
  const clock = createManualClock();
  const store = createMemoryFigureStore();
  const logger = createRecordingLogger();
  const writes: (FigureWrite & { atMs: number })[] = [];
  const told: WitnessWrite[] = [];
  const faults = { count: 0 };
  const meters = createFigureMeters({
    store: {
      ...store,
      async add(write) {
        writes.push({ ...structuredClone(write), atMs: clock.now() });
        await store.add(write);
        if (faults.count > 0) {
          faults.count -= 1;
          throw new Error('the answer was lost');
        }
      },
      async addWitness(write) {
        told.push(write);
        await store.addWitness(write);
      },
    },
    clock,
    logger,
  });
  const counts = { consumed: 0, replicated: 0 };
  const failed: Record<string, number> = {};
  let open = 0;
  const lane = {
    taskId: TASK_ID,
    take() {
      const taken = { ...counts, failed: { ...failed } };
      open += counts.consumed - counts.replicated;
      Object.assign(counts, { consumed: 0, replicated: 0 });
      for (const code of Object.keys(failed)) delete failed[code];
      return taken;
    },
    isBusy: () => open + counts.consumed > counts.replicated,
  };
  const totals = async () => (await store.totals(TASK_ID)).counts;
  return { clock, store, logger, writes, told, faults, meters, counts, failed, lane, totals };
}

describe('createFigureMeters', () => {
  it('tells what a lane has counted, a little later, and then rests', async () => {
    const { meters, lane, counts, failed, clock, writes, store } = createWorld();
    const meter = meters.open(lane);
    expect(clock.sleepers).toBe(0);
    meter.received(clock.now());
    counts.consumed += 3;
    counts.replicated += 2;
    failed.TOPIC_ILLEGAL = 1;
    meter.accepted(UNKNOWN_TIME, clock.now() - 20, clock.now() - 10, clock.now());
    await clock.advance(2_000);
    expect(writes).toHaveLength(1);
    const totals = await store.totals(TASK_ID);
    expect(totals.counts).toMatchObject({ consumed: 3, replicated: 2 });
    expect(totals.failed).toEqual({ TOPIC_ILLEGAL: 1 });
    expect(sumOf(totals.latencies.sync)).toBe(1);
    counts.replicated += 1;
    await clock.advance(60_000);
    expect(clock.sleepers).toBe(0);
    expect(writes).toHaveLength(2);
    await meter.close();
    expect(writes).toHaveLength(2);
  });

  it('tells outcomes that come long after the last receipt', async () => {
    const { meters, lane, counts, clock, totals } = createWorld();
    const meter = meters.open(lane);
    meter.received(clock.now());
    counts.consumed += 1;
    await clock.advance(300_000);
    counts.replicated += 1;
    await clock.advance(16_000);
    expect(await totals()).toMatchObject({ consumed: 1, replicated: 1 });
  });

  it('writes a busy lane’s figures each five seconds, and those of many lanes less often', async () => {
    const { meters, lane, counts, clock, writes } = createWorld();
    const meter = meters.open(lane);
    async function run(seconds: number): Promise<number> {
      const before = writes.length;
      for (let second = 0; second < seconds; second += 1) {
        meter.received(clock.now());
        counts.consumed += 1_000;
        counts.replicated += 1_000;
        await clock.advance(1_000);
      }
      return writes.length - before;
    }
    expect(await run(60)).toBeLessThanOrEqual(12);
    const others = Array.from({ length: 19 }, () => meters.open({ ...lane, take: () => ({ failed: {} }) }));
    await run(10);
    expect(await run(350)).toBeLessThanOrEqual(17);
    for (const other of others) await other.close();
    await run(40);
    expect(await run(60)).toBeGreaterThanOrEqual(8);
  });

  it('books what is received on the minute in which it was', async () => {
    const { meters, lane, counts, clock, store } = createWorld();
    const meter = meters.open(lane);
    const first = minuteOf(clock.now());
    await clock.advance(59_999);
    meter.received(clock.now());
    counts.consumed += 5;
    await clock.advance(1);
    meter.received(clock.now());
    counts.consumed += 2;
    await meter.close();
    const read = await store.read(TASK_ID, { fromMinute: first, toMinute: first + 5 }, 'minute');
    expect(read.map(({ figures }) => figures.counts.consumed)).toEqual([5, 2]);
  });

  it('counts once what had no answer', async () => {
    const { meters, lane, counts, clock, faults, totals, logger } = createWorld();
    const meter = meters.open(lane);
    faults.count = 2;
    meter.received(clock.now());
    counts.consumed += 1;
    counts.replicated += 1;
    await clock.advance(2_000);
    meter.received(clock.now());
    counts.consumed += 1;
    counts.replicated += 1;
    await clock.advance(20_000);
    expect(await totals()).toMatchObject({ consumed: 2, replicated: 2 });
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  it('writes what is left when the lane ends, and says so where it cannot', async () => {
    const { meters, lane, counts, clock, faults, totals, logger } = createWorld();
    const meter = meters.open(lane);
    meter.received(clock.now());
    counts.consumed += 1;
    await meter.close();
    await meter.close();
    expect(await totals()).toMatchObject({ consumed: 1 });
    expect(clock.sleepers).toBe(0);
    const another = meters.open({ ...lane, take: () => ({ consumed: 7, failed: {} }) });
    faults.count = 1;
    await another.close();
    expect(logger.lines.map(({ message }) => message)).toContain('figures of a lane lost');
  });
});

describe('openWitness', () => {
  it('tells each minute’s receipts when it is over, and marks its begin and end', async () => {
    const { meters, clock, told } = createWorld();
    const first = minuteOf(clock.now());
    const witness = meters.openWitness({ taskId: TASK_ID, lane: 2 });
    for (let second = 0; second < 90; second += 1) {
      witness.received(clock.now());
      await clock.advance(1_000);
    }
    await witness.close();
    await witness.close();
    expect(clock.sleepers).toBe(0);
    const byMinute = Map.groupBy(told, ({ minute }) => minute - first);
    expect(
      [...byMinute].map(([minute, some]) => [minute, some.reduce((sum, one) => sum + one.receipts, 0)]),
    ).toEqual([
      [0, 60],
      [1, 30],
    ]);
    expect(told[0]).toMatchObject({ lane: 2, opened: true, receipts: 0 });
    expect(told.at(-1)).toMatchObject({ closed: true });
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
  });

  it('is silent while nothing comes', async () => {
    const { meters, clock, told } = createWorld();
    meters.openWitness({ taskId: TASK_ID, lane: 0 });
    await clock.advance(600_000);
    expect(told).toHaveLength(1);
  });
});

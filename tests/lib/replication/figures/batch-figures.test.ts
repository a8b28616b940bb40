import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { type Figures, minuteOf, newFigures, newLatencies } from '../../../../lib/domain/figures/figures.ts';
import type { FigureStore, FigureWrite } from '../../../../lib/ports/figure-store.ts';
import { newBatchCounts } from '../../../../lib/replication/figures/batch-counts.ts';
import { createBatchFigures, figuresOfBatch } from '../../../../lib/replication/figures/batch-figures.ts';
import { createRecordingLogger, createSteppingClock, NOW_MS, TASK_ID } from '../../../helpers/rule-path.ts';

const DEADLINE = { deadlineMs: NOW_MS + 365 * 24 * 3_600_000 };

function consumed(count: number): Figures {
  const figures = newFigures();
  figures.counts.consumed = count;
  return figures;
}

/** A store whose answers to `add` can be lost, before or after the write was made. */
function createFaultyStore() {
  const store = createMemoryFigureStore();
  const tried: FigureWrite[] = [];
  const faults: ('refused' | 'answer lost')[] = [];
  const add: FigureStore['add'] = async (write) => {
    tried.push(structuredClone(write));
    const fault = faults.shift();
    if (fault !== 'refused') await store.add(write);
    if (fault !== undefined) throw new Error(fault);
  };
  return { ...store, add, tried, faults };
}

describe('createBatchFigures', () => {
  const clock = createSteppingClock();
  let store: ReturnType<typeof createFaultyStore>;
  let logger: ReturnType<typeof createRecordingLogger>;
  let figures: ReturnType<typeof createBatchFigures>;
  beforeEach(() => {
    store = createFaultyStore();
    logger = createRecordingLogger();
    figures = createBatchFigures({ store, clock, logger });
  });
  const total = async (taskId = TASK_ID) => (await store.totals(taskId)).counts.consumed;

  it('makes one write of each batch', async () => {
    await figures.record(TASK_ID, consumed(10), DEADLINE);
    await figures.record(TASK_ID, consumed(5), DEADLINE);
    expect(store.tried.map(({ sequence, minute }) => [sequence, minute])).toEqual([
      [1, minuteOf(clock.now())],
      [2, minuteOf(clock.now())],
    ]);
    expect(await total()).toBe(15);
    expect(logger.lines).toEqual([]);
  });

  it.each(['refused', 'answer lost'] as const)(
    'counts once what was %s, with the next batch',
    async (fault) => {
      store.faults.push(fault);
      await figures.record(TASK_ID, consumed(10), DEADLINE);
      expect(logger.lines).toMatchObject([
        { level: 'warn', message: expect.stringContaining('not written') },
      ]);
      await figures.record(TASK_ID, consumed(1), DEADLINE);
      expect(await total()).toBe(11);
      expect(store.tried.map(({ sequence }) => sequence)).toEqual([1, 1, 2]);
    },
  );

  it('brings another task’s figures along that could not be written', async () => {
    store.faults.push('answer lost');
    await figures.record(TASK_ID, consumed(10), DEADLINE);
    await figures.record('another', consumed(1), DEADLINE);
    expect(await total()).toBe(10);
    expect(await total('another')).toBe(1);
    await figures.record('another', consumed(1), DEADLINE);
    expect(store.tried).toHaveLength(4);
  });

  it.each(['refused', 'answer lost'] as const)(
    'counts as of now what was %s in a minute that is folded by now, once',
    async (fault) => {
      store.faults.push(fault);
      await figures.record(TASK_ID, consumed(10), DEADLINE);
      clock.step(20 * 60_000);
      await store.fold(TASK_ID, minuteOf(clock.now()) - 10);
      await figures.record(TASK_ID, consumed(1), DEADLINE);
      expect(await total()).toBe(11);
      await store.fold(TASK_ID, minuteOf(clock.now()));
      expect(await total()).toBe(11);
    },
  );

  it('does not begin what there is no time for, and does it with the next batch', async () => {
    await figures.record(TASK_ID, consumed(10), { deadlineMs: clock.now() + 400 });
    expect(store.tried).toEqual([]);
    await figures.record(TASK_ID, consumed(1), DEADLINE);
    expect(await total()).toBe(11);
  });

  it('gathers in one entry a minute while the store is away, however many batches there are', async () => {
    store.faults.push(...Array.from({ length: 100 }, () => 'refused' as const));
    for (let batch = 0; batch < 100; batch += 1) {
      clock.step(1_000);
      await figures.record(TASK_ID, consumed(1), DEADLINE);
    }
    store.tried.length = 0;
    await figures.record(TASK_ID, consumed(1), DEADLINE);
    expect(store.tried.length).toBeLessThanOrEqual(5);
    expect(await total()).toBe(101);
  });
});

describe('figuresOfBatch', () => {
  it('takes what is figures, and a copy', () => {
    const counts = newBatchCounts(TASK_ID, 4);
    Object.assign(counts, { consumed: 4, replicated: 2, overlap: 1, bytes: 9, returned: { NOT_REACHED: 1 } });
    counts.failed = { TOPIC_ILLEGAL: 1 };
    const figures = figuresOfBatch(counts, {
      latencies: newLatencies(),
      sourceMinutes: { 7: 4 },
      errors: [],
    });
    expect(figures).toMatchObject({
      counts: { consumed: 4, replicated: 2, overlap: 1, bytes: 9, deduplicated: 0 },
      failed: { TOPIC_ILLEGAL: 1 },
      sourceMinutes: { 7: 4 },
    });
    counts.failed.TOPIC_ILLEGAL = 5;
    expect(figures.failed).toEqual({ TOPIC_ILLEGAL: 1 });
  });
});

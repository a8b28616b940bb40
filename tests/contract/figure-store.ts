import { beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_MESSAGE_ERRORS, type MessageError } from '../../lib/domain/errors/message-errors.ts';
import { type Figures, minuteOf, newFigures, startOfMinuteMs } from '../../lib/domain/figures/figures.ts';
import type { FigureStore } from '../../lib/ports/figure-store.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 12, 30);
const NOW = minuteOf(NOW_MS);
const HOUR_START = minuteOf(Date.UTC(2026, 10, 23, 12));
const TASK = '01JD4YQ3V8F0G2H4J6K8M0N2P4';

function some(changes: { consumed?: number; replicated?: number; failed?: Record<string, number> }): Figures {
  const figures = newFigures();
  figures.counts.consumed = changes.consumed ?? 0;
  figures.counts.replicated = changes.replicated ?? 0;
  figures.failed = changes.failed ?? {};
  return figures;
}

function errorAt(second: number): MessageError {
  return {
    atMs: NOW_MS + second * 1_000,
    code: 'TOPIC_ILLEGAL',
    reason: 'the topic has a space',
    outcome: 'dead-letter',
    sourceTopic: 'stations/7/status',
    deadLetterId: `${second}`,
  };
}

/** What every store of figures promises. */
export function describeFigureStore(name: string, build: () => Promise<FigureStore>): void {
  describe(`FigureStore, ${name}`, () => {
    let store: FigureStore;
    beforeEach(async () => {
      store = await build();
    });
    const id = (minute: number, sequence: number, writer = 'a') => ({
      taskId: TASK,
      minute,
      writer,
      sequence,
    });

    it('adds up what writers count, and gives all of it back', async () => {
      const figures = some({ consumed: 10, replicated: 7, failed: { TOPIC_ILLEGAL: 2, BODY_TOO_LARGE: 1 } });
      figures.counts.bytes = 4_096;
      figures.latencies.sync = { 3: 5, 109: 2 };
      figures.latencies.queue = { 0: 7 };
      figures.latencies.source = { 5: 7 };
      figures.latencies.function = { 10: 7 };
      figures.latencies.target = { 15: 7 };
      figures.sourceMinutes = { [NOW]: 8, [NOW - 1]: 2 };
      await store.add({ ...id(NOW, 1), figures });
      await store.add({ ...id(NOW, 1, 'b'), figures: some({ consumed: 1, failed: { TOPIC_ILLEGAL: 1 } }) });
      const [minute] = await store.read(TASK, { fromMinute: NOW, toMinute: NOW }, 'minute');
      expect(minute).toEqual({
        startMs: startOfMinuteMs(NOW),
        figures: {
          ...figures,
          counts: { ...figures.counts, consumed: 11 },
          failed: { TOPIC_ILLEGAL: 3, BODY_TOO_LARGE: 1 },
        },
      });
      expect((await store.totals(TASK)).counts).toEqual({ ...figures.counts, consumed: 11 });
    });

    it('adds a write once, however often it is made', async () => {
      const write = { ...id(NOW, 1), figures: some({ consumed: 3 }) };
      expect(await store.wasAdded(write)).toBe(false);
      await Promise.all([store.add(write), store.add(write)]);
      await store.add(write);
      expect(await store.wasAdded(write)).toBe(true);
      expect(await store.wasAdded(id(NOW, 2))).toBe(false);
      expect(await store.wasAdded(id(NOW - 1, 1))).toBe(false);
      await store.add({ ...id(NOW, 2), figures: some({ consumed: 1 }) });
      await store.add(write);
      expect((await store.totals(TASK)).counts.consumed).toBe(4);
    });

    it('loses nothing of writers side by side', async () => {
      const writers = ['a', 'b', 'c', 'd'];
      await Promise.all(
        writers.flatMap((writer) =>
          [1, 2, 3].map((step) =>
            store.add({ ...id(NOW - step, 1, writer), figures: some({ consumed: 5 }) }),
          ),
        ),
      );
      expect((await store.totals(TASK)).counts.consumed).toBe(60);
    });

    it('folds each minute once into its hour and the totals, which tell the same before and after', async () => {
      const minutes = [HOUR_START - 1, HOUR_START, HOUR_START + 7, NOW];
      for (const [index, minute] of minutes.entries()) {
        const figures = some({ consumed: 10 ** index, failed: { TOPIC_ILLEGAL: 1 } });
        figures.latencies.sync = { 40: index + 1 };
        await store.add({ ...id(minute, index + 1), figures });
      }
      const before = await store.totals(TASK);
      const range = { fromMinute: HOUR_START - 60, toMinute: NOW };
      const hoursBefore = await store.read(TASK, range, 'hour');
      expect(before.counts.consumed).toBe(1_111);
      expect(hoursBefore.map(({ startMs, figures }) => [startMs, figures.counts.consumed])).toEqual([
        [startOfMinuteMs(HOUR_START - 60), 1],
        [startOfMinuteMs(HOUR_START), 1_110],
      ]);

      const folded = await Promise.all([store.fold(TASK, NOW - 10), store.fold(TASK, NOW - 10)]);
      expect(Math.max(...folded)).toBe(3);
      expect(await store.fold(TASK, NOW - 10)).toBe(0);
      expect(await store.totals(TASK)).toEqual(before);
      expect(await store.read(TASK, range, 'hour')).toEqual(hoursBefore);
      expect(await store.read(TASK, range, 'minute')).toHaveLength(4);

      await store.add({ ...id(NOW + 1, 9), figures: some({ consumed: 1 }) });
      expect(await store.fold(TASK, NOW + 1)).toBe(2);
      expect((await store.totals(TASK)).counts.consumed).toBe(1_112);
      expect((await store.totals(TASK)).failed).toEqual({ TOPIC_ILLEGAL: 4 });
      expect((await store.read(TASK, range, 'hour')).at(-1)?.figures.counts.consumed).toBe(1_111);
    });

    it('tells the last errors of all writers, before and after they are folded', async () => {
      const first = [errorAt(1), errorAt(2)];
      await store.add({ ...id(NOW - 20, 1), figures: { ...some({ consumed: 2 }), errors: first } });
      await store.add({ ...id(NOW - 20, 1, 'b'), figures: { ...newFigures(), errors: [errorAt(3)] } });
      const told = [errorAt(3), errorAt(2), errorAt(1)];
      expect((await store.totals(TASK)).errors).toEqual(told);
      expect(await store.fold(TASK, NOW - 10)).toBe(1);
      expect((await store.totals(TASK)).errors).toEqual(told);
      await store.add({ ...id(NOW - 15, 2), figures: { ...newFigures(), errors: [errorAt(4)] } });
      await store.fold(TASK, NOW - 10);
      await store.add({ ...id(NOW, 3), figures: { ...newFigures(), errors: [errorAt(5)] } });
      expect((await store.totals(TASK)).errors).toEqual([errorAt(5), errorAt(4), ...told]);
      expect((await store.totals(TASK)).counts.consumed).toBe(2);
      const hours = await store.read(TASK, { fromMinute: HOUR_START, toMinute: NOW }, 'hour');
      expect(hours.flatMap(({ figures }) => figures.errors)).toEqual([]);
    });

    it('keeps a bounded number of errors, the last ones, and every count beside them', async () => {
      for (let step = 1; step <= 30; step += 1) {
        const errors = [errorAt(2 * step - 1), errorAt(2 * step)];
        const write = { ...id(NOW, step), figures: { ...some({ consumed: 1 }), errors } };
        await store.add(write);
        await store.add(write);
      }
      const { counts, errors } = await store.totals(TASK);
      expect(counts.consumed).toBe(30);
      expect(errors.length).toBeLessThanOrEqual(MAX_MESSAGE_ERRORS);
      expect(errors.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, index) => errorAt(60 - index)));
    });

    it('takes what redriving takes away', async () => {
      await store.add({ ...id(NOW - 20, 1), figures: some({ consumed: 2, failed: { TOPIC_ILLEGAL: 2 } }) });
      await store.fold(TASK, NOW - 10);
      await store.add({ ...id(NOW, 2), figures: some({ replicated: 1, failed: { TOPIC_ILLEGAL: -1 } }) });
      expect((await store.totals(TASK)).failed).toEqual({ TOPIC_ILLEGAL: 1 });
    });

    it('reads the range that it is asked for, of this task', async () => {
      for (const minute of [NOW - 2, NOW - 1, NOW]) {
        await store.add({ ...id(minute, 1), figures: some({ consumed: 1 }) });
      }
      const read = await store.read(TASK, { fromMinute: NOW - 1, toMinute: NOW - 1 }, 'minute');
      expect(read.map(({ startMs }) => startMs)).toEqual([startOfMinuteMs(NOW - 1)]);
      expect(await store.read('another', { fromMinute: 0, toMinute: NOW }, 'minute')).toEqual([]);
      expect(await store.totals('another')).toEqual(newFigures());
      expect(await store.fold('another', NOW)).toBe(0);
    });

    it('folds as much as one step has room for, and the rest with the next', async () => {
      for (const [index, minute] of [NOW - 13, NOW - 12].entries()) {
        const figures = newFigures();
        const buckets = Array.from({ length: 120 }, (_, bucket) => [(bucket + index * 30) % 150, 1]);
        figures.latencies.sync = Object.fromEntries(buckets);
        figures.latencies.queue = Object.fromEntries(buckets);
        await store.add({ ...id(minute, 1), figures });
      }
      const before = await store.totals(TASK);
      let folded = 0;
      for (let step = 0; step < 3; step += 1) folded += await store.fold(TASK, NOW - 10);
      expect(folded).toBe(2);
      expect(await store.totals(TASK)).toEqual(before);
    });

    it('keeps what the witness says apart from the figures', async () => {
      const write = { ...id(NOW, 1), lane: 1, receipts: 12, opened: true };
      await Promise.all([store.addWitness(write), store.addWitness(write)]);
      await store.addWitness({ ...id(NOW, 1, 'b'), lane: 1, receipts: 3, closed: true });
      await store.addWitness({ ...id(NOW, 1, 'c'), lane: 0, receipts: 4 });
      await store.putSample('pulled', NOW - 1, { atMs: NOW_MS - 60_000, backlogMessages: 9 });
      const sample = {
        atMs: NOW_MS,
        backlogMessages: 4,
        oldestStoredAtMs: NOW_MS - 5_000,
        read: { position: 77, queues: 8 },
      };
      await store.putSample('pulled', NOW, sample);
      const range = { fromMinute: NOW - 5, toMinute: NOW };
      expect(await store.witness(TASK, range)).toEqual([
        { minute: NOW, lane: 0, receipts: 4, opens: 0, closes: 0 },
        { minute: NOW, lane: 1, receipts: 15, opens: 1, closes: 1 },
      ]);
      expect((await store.witness('pulled', range)).map(({ minute }) => minute)).toEqual([NOW - 1, NOW]);
      expect(await store.lastSample('pulled')).toEqual(sample);
      expect(await store.lastSample(TASK)).toBeUndefined();
      expect(await store.totals(TASK)).toEqual(newFigures());
    });

    it('forgets a task, and one that it never knew', async () => {
      await store.add({ ...id(NOW - 20, 1), figures: some({ consumed: 2 }) });
      await store.fold(TASK, NOW - 10);
      await store.forget(TASK, NOW_MS);
      await store.forget('another', NOW_MS);
      expect(await store.totals('another')).toEqual(newFigures());
    });
  });
}

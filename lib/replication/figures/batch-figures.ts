import { addFigures, type Figures, minuteOf, newFigures } from '../../domain/figures/figures.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigureStore } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BatchTimes } from '../rule-path/batch-ledger.ts';
import type { BatchCounts } from './batch-counts.ts';
import { createFigureWriter, createSequence, type FigureWriter, newWriterName } from './figure-writer.ts';

/** A batch is not held up for longer; what has no answer by then goes with the next. */
const WRITE_MS = 2_000;
/** Of the function's time, what must be left for its answer. */
const RESERVE_MS = 500;
/** Tasks whose figures could not be written are remembered, so many. */
const MAX_WAITING = 200;

/** Writes the figures of batches, one write each. */
export interface BatchFigures {
  /** Resolves when they are written, or cannot be for now. Never rejects. */
  record(taskId: string, figures: Figures, options: { deadlineMs: number }): Promise<void>;
}

/** One for each instance of a function: what one batch could not write goes with the next one that it works on. */
export function createBatchFigures(ports: {
  store: Pick<FigureStore, 'add' | 'wasAdded'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): BatchFigures {
  const { clock, logger } = ports;
  const writer = newWriterName();
  const nextSequence = createSequence();
  const waiting = new Map<string, FigureWriter>();

  return {
    async record(taskId, figures, { deadlineMs }) {
      const own = waiting.get(taskId) ?? createFigureWriter({ ...ports, taskId, writer, nextSequence });
      own.add(minuteOf(clock.now()), figures);
      if (waiting.size < MAX_WAITING) waiting.set(taskId, own);
      else logger.warn('too many tasks wait for their figures to be written', { taskId });
      const maxMs = Math.min(WRITE_MS, deadlineMs - RESERVE_MS - clock.now());
      if (maxMs <= 0) return;
      await Promise.all([...new Set([own, ...waiting.values()])].map((one) => one.flush(maxMs)));
      for (const [id, one] of waiting) if (!one.isPending) waiting.delete(id);
    },
  };
}

/** What a batch has counted, as figures. */
export function figuresOfBatch(
  counts: BatchCounts,
  { latencies, sourceMinutes, errors }: BatchTimes,
): Figures {
  const figures = newFigures();
  const { consumed, replicated, filtered, loopSkipped, deduplicated, expired, retried, bytes } = counts;
  const { overlap, takenBack } = counts;
  addFigures(figures, {
    counts: {
      ...figures.counts,
      consumed,
      replicated,
      filtered,
      loopSkipped,
      deduplicated,
      expired,
      retried,
      bytes,
      overlap,
      takenBack,
    },
    failed: counts.failed,
    latencies,
    sourceMinutes,
    errors,
  });
  return figures;
}

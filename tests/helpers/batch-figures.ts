import { createMemoryFigureStore } from '../../lib/adapters/memory/figure-store.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { type BatchFigures, createBatchFigures } from '../../lib/replication/figures/batch-figures.ts';
import { silentLogger } from './silent-logger.ts';

/** Figures that nobody looks at. */
export function memoryBatchFigures(clock: Pick<Clock, 'now'>): BatchFigures {
  return createBatchFigures({ store: createMemoryFigureStore(), clock, logger: silentLogger });
}

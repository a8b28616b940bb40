import { createMemoryFigureStore } from '../../lib/adapters/memory/figure-store.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { FigureStore } from '../../lib/ports/figure-store.ts';
import { createFigureMeters, type FigureMeters } from '../../lib/replication/figures/figure-meter.ts';
import { silentLogger } from './silent-logger.ts';

/** Meters of lanes, and the store that they write to. */
export function memoryFigureMeters(clock: Clock): FigureMeters & { store: FigureStore } {
  const store = createMemoryFigureStore();
  return { ...createFigureMeters({ store, clock, logger: silentLogger }), store };
}

import { FOLD_AFTER_MINUTES, minuteOf } from '../../domain/figures/figures.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigureStore } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';

/** Each task once in so many minutes, a part of them with each tick: a fold costs as much as eight batches. */
const TURNS = 15;
const CONCURRENT_FOLDS = 8;

/** Folds the figures of the tasks whose turn it is; what the time does not suffice for is folded with their next turn. */
export type FoldFigures = (
  taskIds: readonly string[],
  options: { isLate(): boolean },
) => Promise<{ minutes: number }>;

export function createFoldFigures({
  figures,
  clock,
  logger,
}: {
  figures: Pick<FigureStore, 'fold'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): FoldFigures {
  return async (taskIds, { isLate }) => {
    const minute = minuteOf(clock.now());
    const due = taskIds.filter((taskId) => turnOf(taskId) === minute % TURNS);
    let minutes = 0;
    await forEachInFlight(due, CONCURRENT_FOLDS, async (taskId) => {
      if (isLate()) return;
      try {
        minutes += await figures.fold(taskId, minute - FOLD_AFTER_MINUTES);
      } catch (error) {
        // Totals are told with what is not folded: nothing is wrong meanwhile.
        logger.warn('figures not folded', { taskId, error });
      }
    });
    return { minutes };
  };
}

/** The same for a task each time, and about as many tasks to each turn. */
function turnOf(taskId: string): number {
  let sum = 0;
  for (const character of taskId) sum += character.charCodeAt(0);
  return sum % TURNS;
}

import type { MessageError } from '../../domain/errors/message-errors.ts';
import type { FigureStore } from '../../ports/figure-store.ts';

/** What last failed of a task's messages, newest first. */
export type ReadErrors = (taskId: string) => Promise<readonly MessageError[]>;

export function createReadErrors({ figures }: { figures: Pick<FigureStore, 'totals'> }): ReadErrors {
  return async (taskId) => (await figures.totals(taskId)).errors;
}

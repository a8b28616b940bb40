import type { ControlQueue } from '../../ports/control-queue.ts';
import type { Logger } from '../../ports/logger.ts';

export type WakeConverge = (taskId: string) => Promise<void>;

/**
 * Wakes converge for a task whose wish has been written. A wake that fails takes nothing back: the wish stands, and the
 * tick finds it within a minute.
 */
export function createWakeConverge({
  controlQueue,
  logger,
}: {
  controlQueue: ControlQueue;
  logger: Logger;
}): WakeConverge {
  return async (taskId) => {
    try {
      await controlQueue.wake(taskId);
    } catch (error) {
      logger.warn('converge was not woken, the tick will find the task', { taskId, error });
    }
  };
}

import type { ControlQueue } from '../../ports/control-queue.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LaneTasks } from '../../ports/task-reader.ts';
import { withTimeout } from '../with-timeout.ts';

/** Said again while it lasts: another lane of the task may have said that its own is over. */
const REPEAT_MS = 30_000;
const RETRY_MS = 1_000;
const ANSWER_MS = 5_000;

/** Tells the table whether the lane overflows, and wakes converge, which lets the batching function drain the queue. */
export interface OverflowReport {
  /** Whether the table was told so last. */
  readonly isOverflowing: boolean;
  update(isOverflowing: boolean, nowMs: number): void;
}

/** @param options.wasOverflowing - what the table says when the lane begins */
export function createOverflowReport(options: {
  taskId: string;
  wasOverflowing: boolean;
  tasks: Pick<LaneTasks, 'reportOverflow'>;
  control: ControlQueue;
  logger: Logger;
}): OverflowReport {
  const { taskId, tasks, control, logger } = options;
  let told = options.wasOverflowing;
  let nextMs = 0;
  let isTelling = false;

  async function tell(isOverflowing: boolean, nowMs: number): Promise<void> {
    try {
      const isNew = isOverflowing !== told;
      const telling = tasks.reportOverflow(taskId, isOverflowing).then(() => true);
      if ((await withTimeout(telling, ANSWER_MS)) !== true) throw new Error('the table did not answer');
      if (isNew) await withTimeout(control.wake(taskId), ANSWER_MS);
      told = isOverflowing;
      nextMs = nowMs + REPEAT_MS;
    } catch (error) {
      // The queue keeps what it has; the next tick says it again.
      logger.warn('overflow not reported', { taskId, isOverflowing, error });
      nextMs = nowMs + RETRY_MS;
    } finally {
      isTelling = false;
    }
  }

  return {
    get isOverflowing() {
      return told;
    },
    update(isOverflowing, nowMs) {
      if (isTelling) return;
      const isDue = isOverflowing === told ? isOverflowing && nowMs >= nextMs : true;
      if (!isDue || (isOverflowing !== told && nowMs < nextMs && nextMs - nowMs <= RETRY_MS)) return;
      isTelling = true;
      void tell(isOverflowing, nowMs);
    },
  };
}

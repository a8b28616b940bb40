import { messageDocuments, type ServiceIds, type TaskCounted } from '../../domain/figures/counted.ts';
import type { TaskDirection } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricsLog } from '../../ports/metrics-log.ts';

/** Told what was counted, of some tasks of one direction: after each batch, and every few seconds of a shift. */
export type ReportCounts = (
  message: string,
  tasks: readonly TaskCounted[],
  more?: { properties?: Readonly<Record<string, unknown>>; level?: 'info' | 'warn' },
) => void;

/** Tells it as metrics: one line for all tasks, and one for each task that wants metrics of its own. */
export function createMetricsReport({
  metrics,
  clock,
  ...ids
}: ServiceIds & {
  direction: TaskDirection;
  metrics: MetricsLog;
  clock: Pick<Clock, 'now'>;
}): ReportCounts {
  return (message, tasks, { properties, level } = {}) => {
    const nowMs = clock.now();
    for (const document of messageDocuments(tasks, {
      ...ids,
      nowMs,
      ...(properties === undefined ? {} : { properties }),
    })) {
      metrics.write(message, document, level);
    }
  };
}

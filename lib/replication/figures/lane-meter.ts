import {
  addCounted,
  type Counted,
  isNothing,
  newCounted,
  type TaskCounted,
} from '../../domain/figures/counted.ts';
import type { ReportCounts } from './count-report.ts';

/** Gathers what the lanes of a shift count, so that a shift writes one line for all of them. */
export interface LaneMeter {
  /**
   * From now on `take` is asked now and then for what was counted since it was asked last. Answers how to end that, which asks
   * once more.
   */
  watch(lane: Pick<TaskCounted, 'taskId' | 'perTask'>, take: () => Counted): () => void;
}

/** Reports at each `flush` what has come together, of each task once; nothing where nothing has. */
export function createLaneMeter(report: ReportCounts): LaneMeter & { flush(): void } {
  const watched = new Set<() => void>();
  let gathered = new Map<string, TaskCounted>();

  return {
    watch({ taskId, perTask }, take) {
      const gather = () => {
        const taken = take();
        if (isNothing(taken)) return;
        const known = gathered.get(taskId);
        const counts = known?.counts ?? newCounted();
        addCounted(counts, taken);
        gathered.set(taskId, { taskId, perTask, counts });
      };
      watched.add(gather);
      return () => {
        if (watched.delete(gather)) gather();
      };
    },
    flush() {
      for (const gather of watched) gather();
      const tasks = [...gathered.values()];
      gathered = new Map();
      if (tasks.length > 0) report('messages carried', tasks);
    },
  };
}

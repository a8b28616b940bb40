import type { FigureStore } from '../../ports/figure-store.ts';
import { createFoldFigures } from '../figures/fold-figures.ts';
import { createSendCanaries } from '../figures/send-canaries.ts';
import { createServiceWatch } from '../figures/service-watch.ts';
import { createLiveStatus } from '../tasks/live-status.ts';
import { type ConvergeBatch, createConvergeBatch } from './converge-batch.ts';
import { createConvergeTask } from './converge-task.ts';
import { type ConvergeTick, createConvergeTick } from './converge-tick.ts';
import { createStartShifts } from './start-shifts.ts';
import { createInventory } from './sweep-inventory.ts';
import { createSweepOrphans } from './sweep-orphans.ts';

/** What a rule's change may take until it is in effect everywhere. AWS names no time. */
const SETTLING_MS = 5_000;

/** The input of the schedules: `{"source":"tick"}` each minute, `{"source":"tick","audit":true}` each 15 minutes. */
export interface TickEvent {
  source: string;
  audit?: boolean;
}

type TaskDeps = Parameters<typeof createConvergeTask>[0];
type TickDeps = Parameters<typeof createConvergeTick>[0];
type WatchDeps = Parameters<typeof createServiceWatch>[0];
type CanaryDeps = Parameters<typeof createSendCanaries>[0];
type BatchDeps = Parameters<typeof createConvergeBatch>[0];

/** Converge as one function has it: woken for tasks, and by ticks. */
export function createConverge(
  deps: Omit<TaskDeps, 'settlingMs'> &
    Omit<
      TickDeps,
      'convergeTask' | 'sweepOrphans' | 'startShifts' | 'beginServiceWatch' | 'foldFigures' | 'sendCanaries'
    > &
    Omit<WatchDeps, 'queueCounter' | 'liveStatus'> &
    Omit<BatchDeps, 'convergeTask' | 'startShifts'> &
    CanaryDeps & { figures: Pick<FigureStore, 'fold' | 'forget'> },
): { convergeBatch: ConvergeBatch; convergeTick: ConvergeTick } {
  const { tasks, figures, clock } = deps;
  const forgetting: typeof tasks = {
    ...tasks,
    async remove(lease) {
      // Before the task: it is asked again as long as that is there.
      await figures.forget(lease.taskId, clock.now());
      await tasks.remove(lease);
    },
  };
  const convergeTask = createConvergeTask({ ...deps, tasks: forgetting, settlingMs: SETTLING_MS });
  const sweepOrphans = createSweepOrphans({
    ...deps,
    inventory: createInventory(deps),
    roster: deps.shifts.roster,
  });
  const startShifts = createStartShifts(deps);
  const beginServiceWatch = createServiceWatch({
    ...deps,
    queueCounter: deps.cloud.queues,
    liveStatus: createLiveStatus({ leases: deps.shifts.lanes, clock: deps.clock }),
  });
  return {
    convergeBatch: createConvergeBatch({ ...deps, convergeTask, startShifts }),
    convergeTick: createConvergeTick({
      ...deps,
      convergeTask,
      sweepOrphans,
      startShifts,
      beginServiceWatch,
      foldFigures: createFoldFigures(deps),
      sendCanaries: createSendCanaries(deps),
    }),
  };
}

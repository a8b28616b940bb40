import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import { hasRuleCanary } from '../../domain/tasks/canary.ts';
import { renderResourceSpecs, type SpecSettings } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { AccountLimits } from '../../ports/account-limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ControlQueue } from '../../ports/control-queue.ts';
import type { ConvergeState } from '../../ports/converge-state.ts';
import type { Logger } from '../../ports/logger.ts';
import type { StackStore } from '../../ports/stack-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { FoldFigures } from '../figures/fold-figures.ts';
import type { SendCanaries } from '../figures/send-canaries.ts';
import type { BeginServiceWatch, ServiceWatch } from '../figures/service-watch.ts';
import { isWatched, needsConverge } from './converge-plan.ts';
import { type ConvergeTask, STEP_RESERVE_MS } from './converge-task.ts';
import type { StartShifts } from './start-shifts.ts';
import type { SweepOrphans } from './sweep-orphans.ts';

const PAGE = 100;
const AUDIT_PAGE = 10;
/** Pages of one tick: far more tasks than AWS IoT has rules. */
const MAX_PAGES = 1_000;
/** Woken by one tick; where there are more, they take turns from minute to minute. */
const MAX_WAKES = 100;
const TICK_MS = 60_000;

/** What a tick saw, for the service's metrics. */
export interface TickReport {
  tasks: number;
  unconverged: number;
  failed: number;
  degraded: number;
  woken: number;
  shiftsStarted: number;
  audited: number;
  orphansDeleted: number;
  /** Minutes of figures that were added to hours and totals. */
  minutesFolded: number;
}

export type ConvergeTick = (tick: {
  audit: boolean;
  owner: string;
  deadlineMs: number;
}) => Promise<TickReport>;

/**
 * The net below the control queue: wakes every task that is not as wanted or whose overflow or target has to be looked at, starts a shift
 * where there is work and nobody who does it, records what the account allows. An audit also sweeps orphans and compares each task's record with the cloud; what it does not finish, the next ticks do.
 */
export function createConvergeTick(deps: {
  tasks: Pick<TaskStore, 'list'>;
  stack: StackStore;
  memory: ConvergeState;
  control: ControlQueue;
  accountLimits: AccountLimits;
  convergeTask: ConvergeTask;
  sweepOrphans: SweepOrphans;
  startShifts: StartShifts;
  beginServiceWatch: BeginServiceWatch;
  foldFigures: FoldFigures;
  sendCanaries: SendCanaries;
  settings: SpecSettings;
  /** The stack's own: rules may lie there though none was recorded. */
  region: string;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): ConvergeTick {
  const {
    tasks,
    stack,
    memory,
    control,
    accountLimits,
    convergeTask,
    sweepOrphans,
    startShifts,
    settings,
    clock,
    logger,
  } = deps;
  const isLate = (deadlineMs: number) => clock.now() + STEP_RESERVE_MS > deadlineMs;

  async function recordLimits(): Promise<void> {
    try {
      const units = await accountLimits.unreservedConcurrency();
      await stack.recordUnreservedConcurrency(units, new Date(clock.now()).toISOString());
    } catch (error) {
      if (!(error instanceof ControlPlaneError)) throw error;
      logger.warn('the account settings could not be read', { code: error.code });
    }
  }

  /** Answers the tasks that there are, and those of them that are to have a canary. */
  async function wakeUnconverged(
    report: TickReport,
    watch: ServiceWatch,
    deadlineMs: number,
  ): Promise<{ all: readonly string[]; withCanary: readonly Task[] }> {
    const all: string[] = [];
    const withCanary: Task[] = [];
    const unconverged: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES && !isLate(deadlineMs); page += 1) {
      const { items, nextCursor } = await tasks.list({}, pageFrom(PAGE, cursor));
      for (const task of items) {
        all.push(task.taskId);
        if (hasRuleCanary(task)) withCanary.push(task);
        if (lookAt(task, report, watch)) unconverged.push(task.taskId);
      }
      cursor = nextCursor;
      if (cursor === undefined) break;
    }
    const turn = (Math.floor(clock.now() / TICK_MS) * MAX_WAKES) % Math.max(1, unconverged.length);
    const inTurn = [...unconverged.slice(turn), ...unconverged.slice(0, turn)];
    for (const taskId of inTurn.slice(0, MAX_WAKES)) {
      await control.wake(taskId);
      report.woken += 1;
    }
    return { all, withCanary };
  }

  /** The schedules of the shifts do the same: here it is done where they are late, and until the next tick. */
  async function lookAfterShifts(report: TickReport): Promise<void> {
    const { isNeeded, started } = await startShifts({ onlyKilled: false });
    report.shiftsStarted = started;
    if (isNeeded) await control.watchShifts();
  }

  /** Counts a task; answers whether it is to be woken. */
  function lookAt(task: Task, report: TickReport, watch: ServiceWatch): boolean {
    report.tasks += 1;
    if (task.status === 'failed' || task.status === 'degraded') report[task.status] += 1;
    const converged = stateOf(task);
    if (converged !== 'yes') report.unconverged += 1;
    watch.look(task, converged !== 'yes');
    return converged === 'no' || isWatched(task, clock.now());
  }

  /** `unknown`: this version can make nothing of the task, nor can converge; all others are looked at. */
  function stateOf(task: Task): 'yes' | 'no' | 'unknown' {
    try {
      return needsConverge(task, renderResourceSpecs(task, settings)) ? 'no' : 'yes';
    } catch (error) {
      logger.error('a task cannot be looked at', { taskId: task.taskId, error });
      return 'unknown';
    }
  }

  async function sweep(report: TickReport, deadlineMs: number): Promise<void> {
    const { regions, suspects, auditCursor } = await memory.read();
    const everywhere = [...new Set([deps.region, ...regions])];
    const result = await sweepOrphans({ regions: everywhere, suspects, deadlineMs });
    report.orphansDeleted = result.deleted.length;
    await memory.saveAudit(position(result.suspects, auditCursor));
  }

  async function auditTasks(report: TickReport, owner: string, deadlineMs: number): Promise<void> {
    const { suspects, auditCursor } = await memory.read();
    let cursor = auditCursor;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { items, nextCursor } = await tasks.list({}, pageFrom(AUDIT_PAGE, cursor));
      for (const { taskId } of items) {
        // The page is looked at again: an audit may be repeated.
        if (isLate(deadlineMs)) return;
        await auditTask(taskId, report, { owner, deadlineMs });
      }
      cursor = nextCursor;
      await memory.saveAudit(position(suspects, cursor));
      if (cursor === undefined) return;
    }
  }

  /** What is wrong with one task holds up no other: that one is tried by itself, and with the next audit. */
  async function auditTask(
    taskId: string,
    report: TickReport,
    limits: { owner: string; deadlineMs: number },
  ): Promise<void> {
    try {
      const { outcome } = await convergeTask(taskId, { ...limits, waitBudgetMs: 0, audit: true });
      if (outcome === 'not-yet') await control.wake(taskId);
      report.audited += 1;
    } catch (error) {
      logger.error('a task cannot be audited', { taskId, error });
      await control.wake(taskId);
    }
  }

  return async ({ audit, owner, deadlineMs }) => {
    const report: TickReport = {
      tasks: 0,
      unconverged: 0,
      failed: 0,
      degraded: 0,
      woken: 0,
      shiftsStarted: 0,
      audited: 0,
      orphansDeleted: 0,
      minutesFolded: 0,
    };
    const { removing, unreservedConcurrency } = await stack.read();
    if (removing) return report;
    if (audit || unreservedConcurrency === undefined) await recordLimits();
    const watch = deps.beginServiceWatch();
    const { all: taskIds, withCanary } = await wakeUnconverged(report, watch, deadlineMs);
    await lookAfterShifts(report);
    await deps.sendCanaries(withCanary, { isLate: () => isLate(deadlineMs) });
    await watch.tell(deadlineMs - STEP_RESERVE_MS);
    report.minutesFolded = (await deps.foldFigures(taskIds, { isLate: () => isLate(deadlineMs) })).minutes;
    if (audit) await sweep(report, deadlineMs - STEP_RESERVE_MS);
    const goesOn = (await memory.read()).auditCursor !== undefined;
    if (audit || goesOn) await auditTasks(report, owner, deadlineMs);
    logger.debug('tick', { ...report });
    return report;
  };
}

function pageFrom(limit: number, cursor: string | undefined) {
  return { limit, ...(cursor === undefined ? {} : { cursor }) };
}

function position(suspects: Readonly<Record<string, number>>, auditCursor: string | undefined) {
  return { suspects, ...(auditCursor === undefined ? {} : { auditCursor }) };
}

import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import { OVERFLOW_CONCURRENCY, renderResourceSpecs } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { NewTaskEvent } from '../../domain/tasks/task-events.ts';
import { pathOf } from '../../domain/tasks/task-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { StackStore } from '../../ports/stack-store.ts';
import type { TaskLease, TaskStore } from '../../ports/task-store.ts';
import { concurrencyLimitOf } from '../tasks/stack-guard.ts';
import { auditResources } from './converge-audit.ts';
import { isBuffering, judgeBuffer } from './converge-buffer.ts';
import { type DeletionStep, planDeletion } from './converge-deletion.ts';
import { type PerformableStep, performStep } from './converge-perform.ts';
import { planNext, type Seen, type Step } from './converge-plan.ts';
import {
  backlogDiscardedEvent,
  backlogReason,
  DELETED_EVENT,
  deletionCancelledEvent,
  driftEvent,
  failedEvent,
  reasonOf,
  unitsRefusedReason,
} from './converge-reasons.ts';
import type { PlanTimes } from './converge-removal.ts';
import { type StepContext, type StepOutcome, without } from './converge-steps.ts';

/** How long a lease lasts. A step takes at most a few calls of some seconds each, so a renewed lease outlives it. */
const LEASE_MS = 60_000;
const RENEW_BELOW_MS = 40_000;
/** No step begins with less time than this left. */
export const STEP_RESERVE_MS = 12_000;
/** Ten rules, each announced, made, enabled, bridged: far fewer than this. More is a plan that goes in circles. */
const MAX_STEPS = 200;
const LEASE_TAKEN_WAIT_MS = 2_000;

/** Either what is wanted is true (or needs a person), or the task has to be converged again after `waitMs`. */
export type ConvergeResult = { outcome: 'done' } | { outcome: 'not-yet'; waitMs: number };

export interface ConvergeLimits {
  /** Unique to the invocation. */
  owner: string;
  /** Epoch ms by which to be back. */
  deadlineMs: number;
  /** How much of the waiting (transient states, throttles) may be done here instead of by coming again. */
  waitBudgetMs: number;
  /** Compare the record with what is really there first. */
  audit?: boolean;
}

export type ConvergeTask = (taskId: string, limits: ConvergeLimits) => Promise<ConvergeResult>;

interface Run {
  task: Task;
  lease: TaskLease;
  seen: Seen;
  waitedMs: number;
  toAudit: boolean;
  limits: ConvergeLimits;
}

type Next = ConvergeResult | 'go-on';

const DONE: ConvergeResult = { outcome: 'done' };

/**
 * Makes what is wanted of one task true: one lease, idempotent steps, each recorded when done. What a person has to
 * change makes the task `failed` with the reason; what time heals answers `not-yet`.
 * @throws what is neither: the record in the control queue comes again.
 */
export function createConvergeTask(
  deps: StepContext &
    Pick<PlanTimes, 'countLagMs'> & {
      tasks: TaskStore;
      stack: Pick<StackStore, 'read'>;
      /** Units of all running tasks together, as the stack's parameter says. */
      ruleConcurrency: number;
      clock: Clock;
      logger: Logger;
    },
): ConvergeTask {
  const { tasks, stack, clock, logger, cloud, shifts, settings, settlingMs, countLagMs, ruleConcurrency } =
    deps;

  async function convergeLeased(run: Run): Promise<ConvergeResult> {
    // After the lease: the clean-up marks first and then waits for leases, so one of the two sees the other.
    if ((await stack.read()).removing) return DONE;
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      if (clock.now() + STEP_RESERVE_MS > run.limits.deadlineMs) return notYet(0);
      if (!(await keepLease(run))) return notYet(LEASE_TAKEN_WAIT_MS);
      const next = await guarded(run, () => (run.toAudit ? audit(run) : advance(run)));
      if (next !== 'go-on') return next;
    }
    throw new Error(`converge made ${MAX_STEPS} steps for task ${run.task.taskId} and is not done`);
  }

  async function advance(run: Run): Promise<Next> {
    const { task, seen } = run;
    const times: PlanTimes = { nowMs: clock.now(), settlingMs, countLagMs };
    if (task.desired === 'deleted') return take(run, planDeletion(task, seen, times));
    return take(run, planNext(task, renderResourceSpecs(task, settings), seen, times));
  }

  async function take(run: Run, step: DeletionStep | Step): Promise<Next> {
    const { task } = run;
    switch (step.kind) {
      case 'done':
        return DONE;
      case 'wait':
        return pause(run, step.waitMs);
      case 'keep-backlog':
        throw backlogKept(step.messages);
      case 'cancel-deletion':
        run.task = await tasks.cancelDeletion(run.lease, { ...backlogReason(step.messages), at: nowText() });
        run.seen = {};
        await tell(run, deletionCancelledEvent(step.messages));
        return 'go-on';
      case 'remove':
        await tasks.remove(run.lease);
        await tell(run, DELETED_EVENT);
        return DONE;
      case 'delete-queue':
        // Told before it goes: a crash may tell it twice, but never not at all.
        if (step.discarded > 0) await tell(run, backlogDiscardedEvent(step.discarded));
        return perform(run, step);
      case 'tell-overflow-lasts':
        logger.warn('messages keep going through the queue', {
          taskId: task.taskId,
          lastingMs: clock.now() - step.sinceMs,
        });
        return perform(run, step);
      case 'ask-target': {
        const next = await perform(run, step);
        // It took seconds: the data plane may have said more by now.
        run.task = (await tasks.get(task.taskId)) ?? run.task;
        return next;
      }
      case 'hold-units':
        return holdUnits(run);
      case 'end-overflow':
        await tasks.holdUnits(run.lease, 0, 0);
        return settle(run, { progress: { resources: without(run.task.resources, 'overflow') } });
      default:
        return perform(run, step);
    }
  }

  async function perform(run: Run, step: PerformableStep): Promise<Next> {
    return settle(run, await performStep(step, run.task, deps));
  }

  async function holdUnits(run: Run): Promise<Next> {
    const limit = concurrencyLimitOf(await stack.read(), ruleConcurrency);
    if (await tasks.holdUnits(run.lease, OVERFLOW_CONCURRENCY, limit)) {
      return settle(run, { seen: { units: 'held' } });
    }
    const reason = { ...unitsRefusedReason(OVERFLOW_CONCURRENCY, limit), at: nowText() };
    // A reason that is there already says more.
    const isNews = run.task.status === 'running';
    return settle(run, {
      seen: { units: 'refused' },
      ...(isNews ? { progress: { status: 'degraded', reason } } : {}),
    });
  }

  async function settle(run: Run, outcome: StepOutcome): Promise<Next> {
    run.seen = merged(run.seen, outcome.seen);
    if (outcome.progress !== undefined) {
      const task = await tasks.saveProgress(run.lease, outcome.progress);
      if (task === undefined) return notYet(LEASE_TAKEN_WAIT_MS);
      run.task = task;
    }
    if (outcome.event !== undefined) await tell(run, outcome.event);
    return outcome.waitMs === undefined ? 'go-on' : pause(run, outcome.waitMs);
  }

  async function audit(run: Run): Promise<Next> {
    if (run.task.desired === 'deleted') {
      run.toAudit = false;
      return 'go-on';
    }
    const specs = renderResourceSpecs(run.task, settings);
    const { resources, drift } = await auditResources(run.task, specs, cloud, shifts.roster);
    run.toAudit = false;
    if (drift.length === 0) return auditBuffer(run);
    logger.warn('drift found', { taskId: run.task.taskId, drift });
    const next = await settle(run, { progress: { resources }, event: driftEvent(drift) });
    return next === 'go-on' ? auditBuffer(run) : next;
  }

  async function auditBuffer(run: Run): Promise<Next> {
    const { taskId, status, resources } = run.task;
    const queue = isBuffering(run.task) ? resources.queue : undefined;
    const backlog = queue && (await cloud.queues.backlog(queue.url));
    const { waitedMs, ...outcome } = judgeBuffer(run.task, backlog, clock.now());
    // At each audit, so that an alarm can stand on it.
    if (waitedMs !== undefined) logger.warn('messages wait too long', { taskId, status, waitedMs, backlog });
    return settle(run, outcome);
  }

  /** Turns what the cloud refused into a wait or a failed task. */
  async function guarded(run: Run, work: () => Promise<Next>): Promise<Next> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ControlPlaneError)) throw error;
      logger.info('a step was refused', {
        taskId: run.task.taskId,
        code: error.code,
        reaction: error.reaction,
      });
      return error.reaction === 'failed' ? fail(run, error) : hinder(run, error);
    }
  }

  async function fail(run: Run, error: ControlPlaneError): Promise<ConvergeResult> {
    const reason = reasonOf(error);
    const status = isCarried(run.task) ? 'degraded' : 'failed';
    if (run.task.status === status && run.task.reason?.code === reason.code) return DONE;
    // What lanes said of an end stands: they alone take it back.
    if (status === 'degraded' && run.task.reason?.about !== undefined) return DONE;
    const task = await tasks.saveProgress(run.lease, { status, reason: { ...reason, at: nowText() } });
    if (task === undefined) return notYet(LEASE_TAKEN_WAIT_MS);
    if (status === 'degraded') return DONE;
    await tell(run, failedEvent(reason));
    return DONE;
  }

  /** Says why it takes long, where the reason is not the data plane's to give. */
  async function hinder(run: Run, error: ControlPlaneError): Promise<Next> {
    const next = await pause(run, error.waitMs);
    const underWay = ['creating', 'starting', 'pausing', 'deleting'].includes(run.task.status);
    if (next !== 'go-on' && underWay && run.task.reason?.code !== error.code) {
      await tasks.saveProgress(run.lease, { reason: { ...reasonOf(error), at: nowText() } });
    }
    return next;
  }

  async function pause(run: Run, waitMs: number): Promise<Next> {
    const fits = run.waitedMs + waitMs <= run.limits.waitBudgetMs;
    if (!fits || clock.now() + waitMs + STEP_RESERVE_MS > run.limits.deadlineMs) return notYet(waitMs);
    await clock.sleep(waitMs);
    run.waitedMs += waitMs;
    run.seen = {};
    const task = await tasks.get(run.task.taskId);
    if (task === undefined) return DONE;
    run.task = task;
    return 'go-on';
  }

  async function keepLease(run: Run): Promise<boolean> {
    if (run.lease.expiresAtMs - clock.now() > RENEW_BELOW_MS) return true;
    const renewed = await tasks.renewLease(run.lease, LEASE_MS);
    if (renewed !== undefined) run.lease = renewed;
    return renewed !== undefined;
  }

  const nowText = () => new Date(clock.now()).toISOString();
  const tell = (run: Run, event: Omit<NewTaskEvent, 'at'>) =>
    tasks.appendEvent(run.task.taskId, { ...event, at: nowText() });

  return async (taskId, limits) => {
    if ((await tasks.get(taskId)) === undefined) return DONE;
    const lease = await tasks.acquireLease(taskId, limits.owner, LEASE_MS);
    // Taken by somebody else, or the task went this moment: both are told apart by coming again.
    if (lease === undefined) return notYet(LEASE_TAKEN_WAIT_MS);
    const run: Omit<Run, 'task'> = { lease, seen: {}, waitedMs: 0, toAudit: limits.audit === true, limits };
    try {
      const task = await tasks.get(taskId);
      return task === undefined ? DONE : await convergeLeased(Object.assign(run, { task }));
    } finally {
      await tasks.releaseLease(run.lease);
    }
  };
}

function notYet(waitMs: number): ConvergeResult {
  return { outcome: 'not-yet', waitMs };
}

/** A session carries messages, whatever converge is refused for its overflow. */
function isCarried({ status, definition }: Task): boolean {
  return pathOf(definition) === 'session' && (status === 'running' || status === 'degraded');
}

function backlogKept(messages: number): ControlPlaneError {
  return new ControlPlaneError(
    `about ${messages} messages wait in the queue that the task had before the last edit`,
    {
      code: 'BACKLOG_NOT_EMPTY',
      reaction: 'failed',
      hint: 'Give the task back the ordering, path and source cluster it had, start it until they are through, then edit it again.',
    },
  );
}

function merged(seen: Seen, patch: StepOutcome['seen'] = {}): Seen {
  const next: Record<string, unknown> = { ...seen, ...patch };
  for (const [name, value] of Object.entries(next)) if (value === undefined) delete next[name];
  return next;
}

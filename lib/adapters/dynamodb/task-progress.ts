import { leaseLost } from '../../domain/errors/control-plane-error.ts';
import { RequestError } from '../../domain/errors/errors.ts';
import { wishesFor } from '../../domain/tasks/task-lifecycle.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Progress, TaskLease, TaskStore } from '../../ports/task-store.ts';
import {
  absent,
  all,
  any,
  atMost,
  type Changes,
  type Condition,
  changing,
  conditional,
  differs,
  equals,
  oneOf,
  present,
} from './expressions.ts';
import { getItem } from './read.ts';
import { type Item, type Table, taskKey } from './table.ts';
import { taskItemOf, taskOf } from './task-item.ts';
import { expireRevisions } from './task-records.ts';
import { freeNameStep, reserveSteps, useSteps, usesOf } from './task-steps.ts';
import { transact, untilFresh, update } from './write.ts';

type TaskProgress = Pick<
  TaskStore,
  | 'acquireLease'
  | 'renewLease'
  | 'releaseLease'
  | 'saveProgress'
  | 'holdUnits'
  | 'reportHealth'
  | 'reportLane'
  | 'reportCanary'
  | 'reportOverflow'
  | 'cancelDeletion'
  | 'remove'
>;

/** Degraded by its canary: nothing is known of its ends. */
const OF_CANARY = all(equals('status', 'degraded'), equals('reason.about', 'canary'));

/** The side of converge and of the data plane: single updates, fenced by the lease's epoch or by the status. */
export function createTaskProgress(table: Table, clock: Pick<Clock, 'now'>): TaskProgress {
  const change = (taskId: string, changes: Changes, condition: Condition) =>
    update(table, { Key: taskKey(taskId), ...changing(changes, condition) });

  return {
    async acquireLease(taskId, owner, durationMs) {
      const expiresAtMs = clock.now() + durationMs;
      const outcome = await change(
        taskId,
        { set: { leaseOwner: owner, leaseExpiresAtMs: expiresAtMs }, add: { leaseEpoch: 1 } },
        all(
          present('PK'),
          // The owner itself again: its first request arrived, the answer did not.
          any(absent('leaseOwner'), atMost('leaseExpiresAtMs', clock.now()), equals('leaseOwner', owner)),
        ),
      );
      if (!outcome.ok) return undefined;
      return { taskId, owner, epoch: Number(outcome.item.leaseEpoch), expiresAtMs };
    },

    async renewLease(lease, durationMs) {
      const expiresAtMs = clock.now() + durationMs;
      const outcome = await change(lease.taskId, { set: { leaseExpiresAtMs: expiresAtMs } }, isOurs(lease));
      return outcome.ok ? { ...lease, expiresAtMs } : undefined;
    },

    async releaseLease(lease) {
      await change(lease.taskId, { remove: ['leaseOwner', 'leaseExpiresAtMs'] }, isOurs(lease));
    },

    async saveProgress(lease, progress) {
      const { status, resources, observedVersion } = progress;
      const fits =
        status === undefined ? isOurs(lease) : all(isOurs(lease), oneOf('desired', wishesFor(status)));
      const whole = await change(lease.taskId, progressChanges(progress), fits);
      if (whole.ok) return taskOf(whole.item);
      if (status === undefined || !isHeld(whole.found, lease)) return undefined;
      // Something else is wanted by now: what is true whatever is wanted.
      const rest = await change(lease.taskId, { set: { resources, observedVersion } }, isOurs(lease));
      return rest.ok ? taskOf(rest.item) : undefined;
    },

    async holdUnits(lease, units, concurrencyLimit) {
      return untilFresh(table, async () => {
        const item = await getItem(table, taskKey(lease.taskId));
        if (item === undefined || !isHeld(item, lease)) throw leaseLost(lease.taskId);
        const { task, heldUnits } = taskItemOf(item);
        if (units > 0 && task.desired !== 'running') return false;
        if (units === heldUnits) return true;
        const grounds = all(isOurs(lease), equals('heldUnits', heldUnits), equals('desired', task.desired));
        return unlessExhausted(
          transact(table, [
            {
              item: {
                Update: { Key: taskKey(lease.taskId), ...changing({ set: { heldUnits: units } }, grounds) },
              },
            },
            ...reserveSteps(units - heldUnits, concurrencyLimit),
          ]),
        );
      });
    },

    async reportHealth(taskId, health) {
      const running = equals('status', 'running');
      const ofTarget = all(equals('status', 'degraded'), equals('reason.about', 'target'));
      const outcome =
        health.status === 'running'
          ? await change(taskId, { set: { status: 'running' }, remove: ['reason'] }, ofTarget)
          : await change(
              taskId,
              { set: { status: 'degraded', reason: health.reason } },
              any(running, OF_CANARY, all(ofTarget, differs('reason.code', health.reason.code))),
            );
      return outcome.ok;
    },

    async reportLane(taskId, health) {
      const ofAnEnd = all(equals('status', 'degraded'), oneOf('reason.about', ['target', 'source']));
      const wanted = (condition: Condition) => all(equals('desired', 'running'), condition);
      const outcome =
        health.status === 'running'
          ? await change(
              taskId,
              { set: { status: 'running' }, remove: ['reason'] },
              wanted(any(equals('status', 'starting'), ofAnEnd)),
            )
          : await change(
              taskId,
              { set: { status: health.status, reason: health.reason } },
              wanted(
                health.status === 'failed'
                  ? oneOf('status', ['starting', 'running', 'degraded'])
                  : any(
                      oneOf('status', ['starting', 'running']),
                      OF_CANARY,
                      all(ofAnEnd, differs('reason.code', health.reason.code)),
                    ),
              ),
            );
      return outcome.ok;
    },

    async reportCanary(taskId, health) {
      const outcome =
        health.status === 'running'
          ? await change(taskId, { set: { status: 'running' }, remove: ['reason'] }, OF_CANARY)
          : await change(
              taskId,
              { set: { status: 'degraded', reason: health.reason } },
              all(
                equals('desired', 'running'),
                any(
                  equals('status', 'running'),
                  all(OF_CANARY, differs('reason.message', health.reason.message)),
                ),
              ),
            );
      return outcome.ok;
    },

    async reportOverflow(taskId, isOverflowing) {
      // A task that is gone has nothing to tell.
      await change(
        taskId,
        isOverflowing ? { set: { overflowing: true } } : { remove: ['overflowing'] },
        present('PK'),
      );
    },

    async cancelDeletion(lease, reason) {
      const outcome = await change(
        lease.taskId,
        { set: { desired: 'paused', status: 'paused', reason }, remove: ['discardBacklog'] },
        // It may have been allowed to discard since it was read.
        all(isOurs(lease), equals('desired', 'deleted'), absent('discardBacklog')),
      );
      if (!outcome.ok) throw leaseLost(lease.taskId);
      return taskOf(outcome.item);
    },

    async remove(lease) {
      const item = await getItem(table, taskKey(lease.taskId));
      if (item === undefined) return;
      const { task, rocketmqTopic } = taskItemOf(item);
      if (!isHeld(item, lease) || task.desired !== 'deleted') throw leaseLost(lease.taskId);
      // Before the task goes: afterwards nobody would come back for them.
      await expireRevisions(table, lease.taskId, clock.now());
      const outcome = await transact(table, [
        {
          item: {
            Delete: {
              Key: taskKey(lease.taskId),
              ...conditional(all(isOurs(lease), equals('desired', 'deleted'))),
            },
          },
          refusal: () => leaseLost(lease.taskId),
        },
        freeNameStep(task.definition.taskName, task.taskId),
        ...useSteps(usesOf(task.definition, task.sourceRegion, rocketmqTopic), undefined),
      ]);
      if (outcome === 'stale') throw leaseLost(lease.taskId);
    },
  };
}

function progressChanges({ status, reason, resources, observedVersion }: Progress): Changes {
  return {
    set: { status, resources, observedVersion, ...(reason === null ? {} : { reason }) },
    remove: reason === null ? ['reason'] : [],
  };
}

/** Undefined: what was decided upon is no longer so. */
async function unlessExhausted(writing: Promise<'done' | 'stale'>): Promise<boolean | undefined> {
  try {
    return (await writing) === 'done' ? true : undefined;
  } catch (error) {
    if (error instanceof RequestError && error.code === 'CONCURRENCY_EXHAUSTED') return false;
    throw error;
  }
}

function isOurs({ owner, epoch }: TaskLease): Condition {
  return all(equals('leaseOwner', owner), equals('leaseEpoch', epoch));
}

function isHeld(item: Item | undefined, { owner, epoch }: TaskLease): boolean {
  return item?.leaseOwner === owner && item.leaseEpoch === epoch;
}

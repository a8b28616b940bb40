import { idempotencyKeyReused, taskNotFound } from '../../domain/errors/request-errors.ts';
import { IDEMPOTENCY_SECONDS } from '../../domain/retention.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { editedTask, newTask } from '../../domain/tasks/task-changes.ts';
import { createdEvent, desiredEvent, editedEvent } from '../../domain/tasks/task-events.ts';
import { checkEditable, planDesired, reservedUnits } from '../../domain/tasks/task-lifecycle.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdempotencyKey, TaskStore } from '../../ports/task-store.ts';
import { absent, all, any, atMost, type Changes, changing, conditional, equals } from './expressions.ts';
import { getItem } from './read.ts';
import { idempotencyKey, type Table, taskKey } from './table.ts';
import { itemOf, type TaskItem, taskItemOf, taskOf } from './task-item.ts';
import { eventStep, revisionStep } from './task-records.ts';
import { freeNameStep, reserveSteps, takeNameStep, useSteps, usesOf } from './task-steps.ts';
import { type Step, transact, untilFresh } from './write.ts';

type TaskChanges = Pick<TaskStore, 'create' | 'findReplay' | 'saveDefinition' | 'setDesired'>;

/** The user's side of a task: every change is one transaction, decided on what was read and refused if that changed. */
export function createTaskChanges(table: Table, clock: Pick<Clock, 'now'>): TaskChanges {
  const read = async (taskId: string): Promise<TaskItem> => {
    const item = await getItem(table, taskKey(taskId));
    if (item === undefined) throw taskNotFound(taskId);
    return taskItemOf(item);
  };

  const findReplay = async ({ key, requestHash }: IdempotencyKey): Promise<Task | undefined> => {
    const known = await getItem(table, idempotencyKey(key));
    if (known === undefined || Number(known.expiresAt) * 1000 <= clock.now()) return undefined;
    if (known.requestHash !== requestHash) throw idempotencyKeyReused();
    const item = await getItem(table, taskKey(String(known.taskId)));
    if (item === undefined) throw idempotencyKeyReused();
    return taskOf(item);
  };

  return {
    findReplay,

    async create(input) {
      const { taskId, definition, idempotency, at, actor } = input;
      const task = newTask(input);
      const heldUnits = reservedUnits(definition, input.desired);
      const { rocketmqTopic } = input;
      const steps: Step[] = [
        ...(idempotency === undefined ? [] : [idempotencyStep(idempotency, taskId, clock.now())]),
        takeNameStep(definition.taskName, taskId),
        ...useSteps(undefined, usesOf(definition, input.sourceRegion, rocketmqTopic)),
        ...reserveSteps(heldUnits, input.concurrencyLimit),
        {
          item: {
            Put: {
              Item: itemOf({ task, heldUnits, ...(rocketmqTopic === undefined ? {} : { rocketmqTopic }) }),
              ...conditional(absent('PK')),
            },
          },
        },
        revisionStep(task, at, actor),
        eventStep(taskId, createdEvent(input.desired === 'running', input)),
      ];
      return untilFresh(table, async () => {
        if ((await transact(table, steps)) === 'done') return { task, replayed: false };
        const first = idempotency && (await findReplay(idempotency));
        return first && { task: first, replayed: true };
      });
    },

    async saveDefinition(edit) {
      return untilFresh(table, async () => {
        const { task, heldUnits, rocketmqTopic } = await read(edit.taskId);
        checkEditable(task, edit.expectedVersion);
        const edited = editedTask(task, edit);
        const { definition, direction, sourceRegion, version, updatedAt } = edited;
        const set = {
          definition,
          direction,
          sourceRegion,
          version,
          updatedAt,
          rocketmqTopic: edit.rocketmqTopic,
        };
        const remove = edit.rocketmqTopic === undefined ? ['rocketmqTopic'] : [];
        const before = usesOf(task.definition, task.sourceRegion, rocketmqTopic);
        const outcome = await transact(table, [
          taskStep(task, heldUnits, { set, remove }),
          ...renameSteps(task, definition.taskName),
          ...useSteps(before, usesOf(definition, sourceRegion, edit.rocketmqTopic)),
          revisionStep(edited, edit.at, edit.actor),
          eventStep(task.taskId, editedEvent(version, edit)),
        ]);
        return outcome === 'done' ? edited : undefined;
      });
    },

    async setDesired(change) {
      return untilFresh(table, async () => {
        const { task, heldUnits } = await read(change.taskId);
        const plan = planDesired(task, change, heldUnits);
        if (plan === undefined) return task;
        const set = { ...plan.changes, heldUnits: heldUnits + plan.reserve };
        const outcome = await transact(table, [
          taskStep(task, heldUnits, { set, remove: ['reason'] }),
          ...reserveSteps(plan.reserve, change.concurrencyLimit),
          eventStep(task.taskId, desiredEvent(change.desired, change)),
        ]);
        const { reason: _, ...rest } = task;
        return outcome === 'done' ? { ...rest, ...plan.changes } : undefined;
      });
    },
  };
}

/** Takes the key, or takes it over from a task of more than 24 hours ago. Otherwise stale: the first task is the answer. */
function idempotencyStep({ key, requestHash }: IdempotencyKey, taskId: string, nowMs: number): Step {
  const nowSeconds = Math.floor(nowMs / 1000);
  const Item = {
    ...idempotencyKey(key),
    taskId,
    requestHash,
    expiresAt: nowSeconds + IDEMPOTENCY_SECONDS,
  };
  const condition = any(absent('PK'), atMost('expiresAt', nowSeconds));
  return { item: { Put: { Item, ...conditional(condition) } } };
}

function renameSteps({ taskId, definition }: Task, taskName: string): Step[] {
  if (definition.taskName === taskName) return [];
  return [takeNameStep(taskName, taskId), freeNameStep(definition.taskName, taskId)];
}

/** Changes a task whose grounds for the decision are as they were read. */
function taskStep({ taskId, version, desired, status }: Task, heldUnits: number, changes: Changes): Step {
  const condition = all(
    equals('version', version),
    equals('desired', desired),
    equals('status', status),
    equals('heldUnits', heldUnits),
  );
  return { item: { Update: { Key: taskKey(taskId), ...changing(changes, condition) } } };
}

import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Warning } from '../../domain/rules/definition-check.ts';
import type { Task, TaskDefinition } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { CheckTask } from './check-task.ts';
import type { StackGuard } from './stack-guard.ts';
import type { WakeConverge } from './wake-converge.ts';

export interface CreateTaskRequest {
  /** As parsed by `TaskDefinition`: defaults are in it. */
  body: TaskDefinition;
  startNow: boolean;
  idempotencyKey?: string | undefined;
  actor?: string | undefined;
}

/**
 * Records a new task and answers at once; converge makes what it needs. A request with the key of an earlier, equal one
 * answers that one's task (`replayed`).
 *
 * Throws what `CheckTask` and `TaskStore.create` throw, and 409 `STACK_REMOVING`.
 */
export type CreateTask = (
  request: CreateTaskRequest,
) => Promise<{ task: Task; replayed: boolean; warnings: Warning[] }>;

export function createCreateTask({
  tasks,
  checkTask,
  guardStack,
  wakeConverge,
  clock,
}: {
  tasks: Pick<TaskStore, 'create' | 'findReplay'>;
  checkTask: CheckTask;
  guardStack: StackGuard;
  wakeConverge: WakeConverge;
  clock: Pick<Clock, 'now'>;
}): CreateTask {
  return async ({ body, startNow, idempotencyKey, actor }) => {
    const { concurrencyLimit } = await guardStack();
    const idempotency =
      idempotencyKey === undefined
        ? undefined
        : { key: idempotencyKey, requestHash: hashOf({ ...body, startNow }) };
    // Before the rules: what was right at the first request may not be by now.
    const first = idempotency && (await tasks.findReplay(idempotency));
    if (first !== undefined) {
      await wakeConverge(first.taskId);
      return { task: first, replayed: true, warnings: [] };
    }
    const { warnings, ...checked } = await checkTask(body);
    const { task, replayed } = await tasks.create({
      taskId: ulid(clock.now()),
      ...checked,
      desired: startNow ? 'running' : 'paused',
      at: new Date(clock.now()).toISOString(),
      concurrencyLimit,
      ...(actor === undefined ? {} : { actor }),
      ...(idempotency === undefined ? {} : { idempotency }),
    });
    await wakeConverge(task.taskId);
    return { task, replayed, warnings };
  };
}

/** The same for equal requests, whatever the order of their members. */
function hashOf(request: unknown): string {
  return createHash('sha256').update(canonicalJson(request)).digest('hex');
}

import { canonicalJson } from '../../domain/canonical-json.ts';
import { backlogNotEmpty, ifMatchRequired } from '../../domain/errors/request-errors.ts';
import type { Warning } from '../../domain/rules/definition-check.ts';
import { mergePatch } from '../../domain/tasks/merge-patch.ts';
import type { Task, TaskDefinition } from '../../domain/tasks/task.ts';
import { checkEditable } from '../../domain/tasks/task-lifecycle.ts';
import type { TaskPatch } from '../../domain/tasks/task-patch.ts';
import { isFromMqtt, pathOf } from '../../domain/tasks/task-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { CheckTask } from './check-task.ts';
import type { CountBacklog } from './count-backlog.ts';
import type { GetTask } from './get-task.ts';
import type { StackGuard } from './stack-guard.ts';
import type { WakeConverge } from './wake-converge.ts';

export interface EditTaskRequest {
  taskId: string;
  /** The version the caller has read; without it 428. */
  expectedVersion: number | undefined;
  patch: TaskPatch;
  actor?: string | undefined;
}

export interface EditedTask {
  task: Task;
  warnings: Warning[];
  /** Messages that wait in the task's queue and will go through the new definition; approximate. */
  affectsBuffered: number;
}

/**
 * Changes the definition of a task that does not run. Messages that wait go through the new one; so another source, path,
 * ordering or message group of an ordered task, whose messages would pass those, needs an empty queue. An edit that changes
 * nothing makes no revision.
 *
 * Throws `RequestError`: 428 `IF_MATCH_REQUIRED`, 404 `TASK_NOT_FOUND`, 412 `VERSION_MISMATCH`, 409 `TASK_RUNNING`,
 * `TASK_DELETING`, `TASK_NAME_TAKEN`, `BACKLOG_NOT_EMPTY` (extension `backlog`), `STACK_REMOVING`, and what `CheckTask` throws.
 */
export type EditTask = (request: EditTaskRequest) => Promise<EditedTask>;

export function createEditTask({
  tasks,
  getTask,
  checkTask,
  countBacklog,
  guardStack,
  wakeConverge,
  clock,
  parseDefinition,
}: {
  tasks: Pick<TaskStore, 'saveDefinition'>;
  getTask: GetTask;
  checkTask: CheckTask;
  countBacklog: CountBacklog;
  guardStack: StackGuard;
  wakeConverge: WakeConverge;
  clock: Pick<Clock, 'now'>;
  /** Parses the patched definition with `TaskDefinition`; throws `RequestError` 400 with the fields that are wrong. */
  parseDefinition: (merged: unknown) => TaskDefinition;
}): EditTask {
  return async ({ taskId, expectedVersion, patch, actor }) => {
    if (expectedVersion === undefined) throw ifMatchRequired();
    await guardStack();
    const before = await getTask(taskId);
    checkEditable(before, expectedVersion);
    const wanted = parseDefinition(mergePatch(withoutOldRetry(before.definition, patch), patch));
    const { warnings: found, ...checked } = await checkTask(wanted, { taskId });
    const { definition } = checked;
    const warnings = replacesQueue(before, definition) ? [...found, SESSION_INTERRUPTED] : found;
    const changed = changedMembers(before.definition, definition);
    if (changed.length === 0) return { task: before, warnings, affectsBuffered: 0 };

    const affectsBuffered = changed.some((member) => MESSAGE_MEMBERS.has(member))
      ? await countBacklog(before)
      : 0;
    if (affectsBuffered > 0 && comesAnotherWay(before.definition, definition)) {
      throw backlogNotEmpty(
        affectsBuffered,
        `about ${affectsBuffered} messages still wait in the old way: start the task until they are through, then change ` +
          'source.clusterId, options.via, options.ordering or what makes its message groups',
      );
    }
    const task = await tasks.saveDefinition({
      taskId,
      expectedVersion,
      ...checked,
      at: new Date(clock.now()).toISOString(),
      ...(actor === undefined ? {} : { actor }),
      details: { changed, affectsBuffered },
    });
    await wakeConverge(taskId);
    return { task, warnings, affectsBuffered };
  };
}

/** Another preset has other members: a patch that names one replaces the option as a whole. */
function withoutOldRetry({ options, ...definition }: TaskDefinition, patch: TaskPatch): unknown {
  const retry = patch.options?.retry;
  const isReplaced = typeof retry === 'object' && retry !== null && 'preset' in retry;
  const { retry: _, ...others } = options;
  return { ...definition, options: isReplaced ? others : options };
}

/** Members that decide what becomes of a message. */
const MESSAGE_MEMBERS: ReadonlySet<string> = new Set(['source', 'target', 'options']);

function changedMembers(before: TaskDefinition, after: TaskDefinition): string[] {
  const members = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof TaskDefinition)[]);
  return [...members].filter((member) => canonicalJson(before[member]) !== canonicalJson(after[member]));
}

const SESSION_INTERRUPTED: Warning = {
  field: 'options.ordering',
  code: 'SESSION_INTERRUPTED',
  message:
    'the queue of the task is replaced: for about a minute its session is disconnected, and the broker has to keep what is published, as many as its session holds',
};

/** A session that the broker may hold gets another kind of queue, and is disconnected while the old one goes. */
function replacesQueue({ startedAt, definition: before }: Task, after: TaskDefinition): boolean {
  const isSession = pathOf(before) === 'session' && pathOf(after) === 'session';
  if (!isSession || startedAt === undefined) return false;
  return (before.options.ordering === 'none') !== (after.options.ordering === 'none');
}

function comesAnotherWay(before: TaskDefinition, after: TaskDefinition): boolean {
  return (
    before.source.clusterId !== after.source.clusterId ||
    before.options.via !== after.options.via ||
    // The queue of an ordered session is another one (FIFO), and its groups are those of the ordering.
    before.options.ordering !== after.options.ordering ||
    isFromMqtt(before) !== isFromMqtt(after) ||
    // What waits lies in the groups it was put by: new messages, in other groups, would pass it.
    canonicalJson(orderedBy(before)) !== canonicalJson(orderedBy(after))
  );
}

/** What the message groups of an ordered task are made of, its ordering aside; empty where no order is kept. */
function orderedBy(definition: TaskDefinition): { messageGroup?: string; keys?: readonly string[] } {
  const { ordering } = definition.options;
  if (!isFromMqtt(definition) || ordering === 'none') return {};
  const { messageGroup, keys = [] } = definition.target;
  if (messageGroup !== undefined) return { messageGroup };
  return ordering === 'key' ? { keys } : {};
}

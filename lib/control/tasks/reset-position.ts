import { taskDeleting, taskRunning } from '../../domain/errors/request-errors.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Position } from '../../ports/rocketmq-admin.ts';
import type { NewTaskEvent, TaskStore } from '../../ports/task-store.ts';
import { brokerAnswer } from '../clusters/broker-answer.ts';
import type { RequireAdmin } from '../clusters/require-admin.ts';
import type { GetPullTask } from './get-pull-task.ts';

export interface ResetPositionRequest {
  taskId: string;
  /** ISO 8601: the first message stored at or after it is the next one. */
  to: 'latest' | 'earliest' | (string & {});
  actor?: string | undefined;
}

/** What was moved, and when. */
export interface ResetPositionAnswer {
  taskId: string;
  rocketmqTopic: string;
  consumerGroup: string;
  to: string;
  at: string;
}

/**
 * Moves the consumer group of a paused pull task. May be repeated. What the group was handed before of a NORMAL topic and never
 * acknowledged comes again all the same.
 *
 * Throws `RequestError`: what `GetPullTask` throws, 409 `TASK_RUNNING`, `TASK_DELETING`, `NO_ADMIN_PORT`, `TOPIC_NOT_FOUND`,
 * `GROUP_NOT_FOUND`, 502, 503 or 504 with the code of the broker's refusal.
 */
export type ResetPosition = (request: ResetPositionRequest) => Promise<ResetPositionAnswer>;

const REMEDY =
  'move the consumer group with the cluster’s own tools or console, or give the task another source.consumerGroup and source.startFrom';

export function createResetPosition({
  tasks,
  getPullTask,
  requireAdmin,
  clock,
}: {
  tasks: Pick<TaskStore, 'appendEvent'>;
  getPullTask: GetPullTask;
  requireAdmin: RequireAdmin;
  clock: Pick<Clock, 'now'>;
}): ResetPosition {
  return async ({ taskId, to, actor }) => {
    const { task, cluster, rocketmqTopic, consumerGroup } = await getPullTask(taskId);
    requirePaused(task);
    const admin = await requireAdmin(cluster, REMEDY);
    const position = positionOf(to);
    await brokerAnswer(admin.resetPosition({ rocketmqTopic, consumerGroup, position }));
    const at = new Date(clock.now()).toISOString();
    await tasks.appendEvent(taskId, resetEvent({ to, consumerGroup, at, actor }));
    return { taskId, rocketmqTopic, consumerGroup, to, at };
  };
}

/** While it reads, its own acknowledgements would move the group back. */
function requirePaused(task: Task): void {
  if (task.desired === 'deleted') throw taskDeleting(task.taskId);
  if (task.desired !== 'paused' || task.status !== 'paused')
    throw taskRunning(task, 'a reset of its position');
}

function positionOf(to: string): Position {
  return to === 'latest' || to === 'earliest' ? to : { timestampMs: Date.parse(to) };
}

function resetEvent({
  to,
  consumerGroup,
  at,
  actor,
}: {
  to: string;
  consumerGroup: string;
  at: string;
  actor: string | undefined;
}): NewTaskEvent {
  return {
    at,
    code: 'POSITION_RESET',
    message: `the position in RocketMQ was moved to ${to}`,
    ...(actor === undefined ? {} : { actor }),
    details: { to, consumerGroup },
  };
}

import type { Task } from '../tasks/task.ts';
import type { ServiceIds } from './counted.ts';
import { type EmfDocument, emfDocument } from './emf.ts';
import type { ServiceMetric } from './metrics.ts';

/** So many tasks are named of each kind of trouble: the worst, or the first. */
const MAX_NAMED = 10;

/** A task as one tick saw it, with its status of that moment. */
export interface TaskGlance {
  task: Task;
  /** It is not as it is wanted. */
  isUnconverged: boolean;
}

/** What was counted beside the tasks. Tasks without anything are not in it. */
export interface ServiceCounts {
  /** Messages in the task's own queue, or in RocketMQ for its group. */
  backlogs: ReadonlyMap<string, number>;
  /** When the oldest of them was stored, epoch ms, where the source tells. */
  oldest: ReadonlyMap<string, number>;
  /** Absent: not counted this time. */
  deadLetters:
    | ReadonlyMap<string, { byCode: Readonly<Record<string, number>>; oldestSeenAtMs?: number }>
    | undefined;
}

/** How all tasks do, as one document. Task ids are properties: as dimensions each would be a metric to pay for. */
export function serviceDocument(
  seen: readonly TaskGlance[],
  { backlogs, oldest, deadLetters }: ServiceCounts,
  { nowMs, ...ids }: ServiceIds & { nowMs: number },
): EmfDocument {
  const withStatus = (status: Task['status']) => seen.filter(({ task }) => task.status === status);
  const backlogOf = ({ task }: TaskGlance) => backlogs.get(task.taskId) ?? 0;
  const [degraded, failed] = [withStatus('degraded'), withStatus('failed')];
  const unconverged = seen.filter(({ isUnconverged }) => isUnconverged);
  const expiring = seen.filter(({ task }) => task.resources.bufferExpiringAtMs !== undefined);
  const waiting = seen.filter((glance) => backlogOf(glance) > 0);
  const wanted = waiting.filter(({ task }) => task.desired === 'running');
  const waitedMs = wanted.map(({ task }) =>
    Math.max(stuckForMs(task, nowMs), nowMs - (oldest.get(task.taskId) ?? nowMs)),
  );
  const running = withStatus('running').length;
  const metrics: Partial<Record<ServiceMetric | 'consumed', number>> = {
    // Adds nothing to the count, and tells an alarm that messages could have come.
    ...(running > 0 ? { consumed: 0 } : {}),
    tasksRunning: running,
    tasksPaused: withStatus('paused').length,
    tasksDegraded: degraded.length,
    tasksFailed: failed.length,
    unconverged: unconverged.length,
    buffersExpiring: expiring.length,
    backlogMessages: sum(wanted.map(backlogOf)),
    bufferedMessages: sum(waiting.map(backlogOf)) - sum(wanted.map(backlogOf)),
    oldestAgeSeconds: Math.max(0, ...waitedMs) / 1_000,
    ...deadLetterMetrics(deadLetters, nowMs),
  };
  const worst = {
    ...named('failed', failed),
    ...named('degraded', degraded),
    ...named('unconverged', unconverged),
    ...named('buffersExpiring', expiring),
    ...ranked(
      'backlog',
      wanted.map((glance) => [glance.task.taskId, backlogOf(glance)] as const),
    ),
    ...ranked(
      'deadLetters',
      [...(deadLetters ?? [])].map(([taskId, { byCode }]) => [taskId, sum(Object.values(byCode))] as const),
    ),
  };
  return emfDocument({
    nowMs,
    sets: ['service'],
    dimensions: { ...ids },
    metrics,
    properties: { tasks: seen.length, worst },
  });
}

/**
 * For how long what waits may have waited, as far as the task tells: since it does not run. While it runs, the batching function tells
 * the age of what it meets.
 */
function stuckForMs({ status, reason, updatedAt }: Task, nowMs: number): number {
  if (status === 'running') return 0;
  return Math.max(0, nowMs - Date.parse(reason?.at ?? updatedAt));
}

function deadLetterMetrics(
  deadLetters: ServiceCounts['deadLetters'],
  nowMs: number,
): Partial<Record<ServiceMetric, number>> {
  if (deadLetters === undefined) return {};
  const all = [...deadLetters.values()];
  const agesMs = all.map(({ oldestSeenAtMs = nowMs }) => nowMs - oldestSeenAtMs);
  return {
    deadLetterDepth: sum(all.flatMap(({ byCode }) => Object.values(byCode))),
    deadLetterOldestAgeSeconds: Math.max(0, ...agesMs) / 1_000,
  };
}

function named(name: string, glances: readonly TaskGlance[]): Record<string, string[]> {
  const taskIds = glances.slice(0, MAX_NAMED).map(({ task }) => task.taskId);
  return taskIds.length === 0 ? {} : { [name]: taskIds };
}

/** The largest first. */
function ranked(
  name: string,
  counts: readonly (readonly [taskId: string, count: number])[],
): Record<string, { taskId: string; count: number }[]> {
  const worst = counts
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, MAX_NAMED)
    .map(([taskId, count]) => ({ taskId, count }));
  return worst.length === 0 ? {} : { [name]: worst };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

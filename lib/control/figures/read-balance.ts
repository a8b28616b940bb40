import {
  type Balance,
  balanceByPositions,
  balanceByQueue,
  balanceByReceipts,
  balanceWindow,
  type Window,
  withoutWitness,
} from '../../domain/figures/balance.ts';
import { minuteOf } from '../../domain/figures/figures.ts';
import type { Task, TaskPath } from '../../domain/tasks/task.ts';
import { pathOf } from '../../domain/tasks/task-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigurePeriod, FigureStore } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { QueueMetrics } from '../../ports/queue-metrics.ts';
import type { QueueCounter } from '../../ports/task-queues.ts';

/** What waits at the source of a task. */
export interface Backlog {
  messages: number;
  /** Absent: the source does not tell. */
  oldestAgeSeconds?: number;
  approximate: true;
  /** ISO 8601, UTC. */
  at: string;
  /** `none`: nobody tells, and `messages` says nothing. */
  source: 'queue' | 'consumer-group' | 'none';
}

export type ReadBalance = (task: Task) => Promise<{ balance: Balance; backlog: Backlog }>;

/** A lane is opened at least each quarter of an hour: so long before, something was told of how it was left. */
const LOOK_BACK_MINUTES = 30;

/** Compares the figures of a task with what its source says. What does not answer leaves the identity alone. */
export function createReadBalance({
  figures,
  queueCounter,
  queueMetrics,
  clock,
  logger,
}: {
  figures: Pick<FigureStore, 'read' | 'witness' | 'lastSample'>;
  queueCounter: QueueCounter;
  /** Absent: no monitoring tells of queues (an emulator). */
  queueMetrics?: QueueMetrics;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): ReadBalance {
  async function queueBacklog({ resources: { queue } }: Task): Promise<number | undefined> {
    if (queue === undefined) return undefined;
    const counted = await queueCounter.backlog(queue.url);
    return counted === undefined ? undefined : counted.waiting + counted.inFlight;
  }

  async function ofRulePath(task: Task, window: Window): ReturnType<ReadBalance> {
    const messages = await queueBacklog(task);
    const { queue } = task.resources;
    if (messages === undefined || queue === undefined) return ofNobody();
    const backlog = backlogOf('queue', messages, clock.now());
    const nowMinute = minuteOf(clock.now());
    if (queueMetrics === undefined) return { balance: withoutWitness(), backlog };
    const [metrics, periods] = await Promise.all([
      queueMetrics.read(queue.url.slice(queue.url.lastIndexOf('/') + 1), {
        fromMinute: window.fromMinute,
        toMinute: nowMinute,
      }),
      figures.read(task.taskId, { fromMinute: window.fromMinute, toMinute: nowMinute }, 'minute'),
    ]);
    const { sent, oldestAgeSeconds } = metrics;
    if (oldestAgeSeconds !== undefined && messages > 0) backlog.oldestAgeSeconds = oldestAgeSeconds;
    return { balance: balanceByQueue(bySourceMinute(periods), sent, window, messages), backlog };
  }

  async function ofSession(task: Task, window: Window): ReturnType<ReadBalance> {
    const { taskId } = task;
    const [messages, periods, receipts] = await Promise.all([
      queueBacklog(task),
      figures.read(taskId, window, 'minute'),
      figures.witness(taskId, { ...window, fromMinute: window.fromMinute - LOOK_BACK_MINUTES }),
    ]);
    const counted = periods.map(({ startMs, figures: { counts } }) => ({
      minute: minuteOf(startMs),
      received: counts.consumed + counts.overlap,
    }));
    return {
      balance: balanceByReceipts(
        counted.filter(({ received }) => received !== 0),
        receipts,
        window,
      ),
      // What waits at the broker no broker tells by MQTT.
      backlog: backlogOf('queue', messages ?? 0, clock.now()),
    };
  }

  async function ofPull({ taskId }: Task, window: Window): ReturnType<ReadBalance> {
    const [last, periods, witness] = await Promise.all([
      figures.lastSample(taskId),
      figures.read(taskId, window, 'minute'),
      figures.witness(taskId, window),
    ]);
    if (last === undefined) return ofNobody();
    const { atMs, backlogMessages, oldestStoredAtMs } = last;
    const backlog = backlogOf('consumer-group', backlogMessages, atMs);
    if (oldestStoredAtMs !== undefined) {
      backlog.oldestAgeSeconds = Math.max(0, Math.round((atMs - oldestStoredAtMs) / 1_000));
    }
    const samples = witness.flatMap(({ minute, sample }) =>
      sample?.read === undefined ? [] : [{ minute, ...sample.read }],
    );
    if (last.read === undefined) return { balance: withoutWitness(), backlog };
    const counted = periods.map(({ startMs, figures: { counts } }) => ({
      minute: minuteOf(startMs),
      received: counts.consumed - counts.takenBack + counts.skipped,
    }));
    return { balance: balanceByPositions(counted, samples, window), backlog };
  }

  function ofNobody() {
    return { balance: withoutWitness(), backlog: backlogOf('none', 0, clock.now()) };
  }

  const byPath: Readonly<Record<TaskPath, (task: Task, window: Window) => ReturnType<ReadBalance>>> = {
    rule: ofRulePath,
    session: ofSession,
    pull: ofPull,
  };

  return async (task) => {
    try {
      return await byPath[pathOf(task.definition)](task, balanceWindow(clock.now()));
    } catch (error) {
      logger.warn('the balance could not be told', { taskId: task.taskId, error });
      return ofNobody();
    }
  };
}

function backlogOf(source: Backlog['source'], messages: number, atMs: number): Backlog {
  return {
    messages,
    ...(messages === 0 ? { oldestAgeSeconds: 0 } : {}),
    approximate: true,
    at: new Date(atMs).toISOString(),
    source,
  };
}

/** First receipts by the minute in which the queue got them, whenever they were counted. */
function bySourceMinute(periods: readonly FigurePeriod[]): { minute: number; received: number }[] {
  const received = new Map<number, number>();
  for (const { figures } of periods) {
    for (const [minute, count] of Object.entries(figures.sourceMinutes)) {
      received.set(Number(minute), (received.get(Number(minute)) ?? 0) + count);
    }
  }
  return [...received].map(([minute, count]) => ({ minute, received: count }));
}

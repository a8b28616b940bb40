import { UNKNOWN_TASK_ID } from '../../domain/dead-letters/dead-letter.ts';
import type { ServiceIds } from '../../domain/figures/counted.ts';
import { serviceDocument, type TaskGlance } from '../../domain/figures/service-figures.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConvergeState } from '../../ports/converge-state.ts';
import type { DeadLetterStore, DeadLetterSummary } from '../../ports/dead-letter-store.ts';
import type { FigureStore, SourceSample } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MetricsLog } from '../../ports/metrics-log.ts';
import type { QueueCounter } from '../../ports/task-queues.ts';
import type { LiveStatus } from '../tasks/live-status.ts';

const MINUTE_MS = 60_000;
/** A queue in which nothing was found is counted so often; each count is a request to SQS. */
const QUIET_LOOK_MINUTES = 15;
/** Dead letters are counted so often; each count reads the index. */
const DEAD_LETTER_MINUTES = 5;
/** Of one task so many answers of 1 MB at most: beyond some thousands a count says "many". */
const DEAD_LETTER_QUERIES = 1;
/** Shifts sample their sources as each minute begins: without one for so long nobody knows what waits. */
const SAMPLE_TTL_MS = 3 * MINUTE_MS;
const CONCURRENT_LOOKS = 16;
/** Counts that are remembered from tick to tick: those of more tasks than this are found again within 15 minutes. */
const MAX_REMEMBERED = 500;

/** What one tick sees of all tasks, told as metrics of the service. */
export interface ServiceWatch {
  look(task: Task, isUnconverged: boolean): void;
  /** Counts what is still to be counted, within the time, and writes one line. Never rejects: metrics hold up no tick. */
  tell(deadlineMs: number): Promise<void>;
}

export type BeginServiceWatch = () => ServiceWatch;

export interface ServiceWatchPorts {
  ids: ServiceIds;
  queueCounter: QueueCounter;
  figures: Pick<FigureStore, 'lastSample'>;
  deadLetterCounts: Pick<DeadLetterStore, 'summary'>;
  memory: Pick<ConvergeState, 'read' | 'saveBacklogs'>;
  liveStatus: LiveStatus;
  metrics: MetricsLog;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}

/** Minutes since the epoch at which it began, and when it has to end. */
interface Tick {
  minute: number;
  deadlineMs: number;
}

export function createServiceWatch(ports: ServiceWatchPorts): BeginServiceWatch {
  const { clock, logger, metrics, ids, memory } = ports;
  const lastSummaries = new Map<string, DeadLetterSummary>();

  /** Those that have, or may have, something waiting are counted at each tick, of the rest one in 15. */
  async function countBacklogs(
    seen: readonly TaskGlance[],
    { minute, deadlineMs }: Tick,
  ): Promise<Map<string, number>> {
    const { backlogs: known = {} } = await memory.read();
    const counts = new Map(
      seen.flatMap(({ task: { taskId } }) => {
        const count = known[taskId];
        return count === undefined ? [] : [[taskId, count] as const];
      }),
    );
    const due = seen.filter(({ task }) => counts.has(task.taskId) || isSuspect(task) || isTurn(task, minute));
    await forEachInFlight(due, CONCURRENT_LOOKS, async ({ task: { taskId, resources } }) => {
      if (resources.queue === undefined || clock.now() > deadlineMs) return;
      const backlog = await ports.queueCounter.backlog(resources.queue.url).catch((error: unknown) => {
        // The last count stands.
        logger.warn('a queue could not be counted', { taskId, error });
        return null;
      });
      if (backlog === null) return;
      const count = backlog === undefined ? 0 : backlog.waiting + backlog.inFlight;
      if (count === 0) counts.delete(taskId);
      else counts.set(taskId, count);
    });
    const remembered = Object.fromEntries([...counts].slice(0, MAX_REMEMBERED));
    if (JSON.stringify(remembered) !== JSON.stringify(known)) await memory.saveBacklogs(remembered);
    return counts;
  }

  /** What waits in RocketMQ, as the shifts have seen it: nothing here has a way to brokers. */
  async function readSamples(
    seen: readonly TaskGlance[],
    { deadlineMs }: Tick,
  ): Promise<Map<string, SourceSample>> {
    const samples = new Map<string, SourceSample>();
    const pulled = seen.filter(({ task }) => task.direction === 'rocketmq-to-mqtt');
    await forEachInFlight(pulled, CONCURRENT_LOOKS, async ({ task: { taskId } }) => {
      if (clock.now() > deadlineMs) return;
      const sample = await ports.figures.lastSample(taskId).catch((error: unknown) => {
        logger.warn('a sample could not be read', { taskId, error });
        return undefined;
      });
      if (sample !== undefined && clock.now() - sample.atMs <= SAMPLE_TTL_MS) samples.set(taskId, sample);
    });
    return samples;
  }

  /** Undefined: not at this tick, or not of all tasks, which would look like fewer. */
  async function countDeadLetters(
    seen: readonly TaskGlance[],
    { minute, deadlineMs }: Tick,
  ): Promise<Map<string, DeadLetterSummary> | undefined> {
    if (minute % DEAD_LETTER_MINUTES !== 0) return undefined;
    const counts = new Map<string, DeadLetterSummary>();
    let isWhole = true;
    const taskIds = [...seen.map(({ task }) => task.taskId), UNKNOWN_TASK_ID];
    await forEachInFlight(taskIds, CONCURRENT_LOOKS, async (taskId) => {
      const summary = clock.now() > deadlineMs ? undefined : await summaryOf(taskId);
      if (summary === undefined) isWhole = false;
      else if (summary.oldestSeenAtMs !== undefined) counts.set(taskId, summary);
    });
    return isWhole ? counts : undefined;
  }

  /** Where it cannot be read the last one stands; undefined: there is none. */
  async function summaryOf(taskId: string): Promise<DeadLetterSummary | undefined> {
    try {
      const summary = await ports.deadLetterCounts.summary(taskId, { maxQueries: DEAD_LETTER_QUERIES });
      keepRecent(lastSummaries, taskId, summary, MAX_REMEMBERED);
      return summary;
    } catch (error) {
      logger.warn('dead letters could not be counted', { taskId, error });
      return lastSummaries.get(taskId);
    }
  }

  /** What is stored, where what is true of the moment cannot be told. */
  async function liveOf(task: Task): Promise<Task> {
    try {
      return await ports.liveStatus(task);
    } catch (error) {
      logger.warn('the status of the moment could not be told', { taskId: task.taskId, error });
      return task;
    }
  }

  return () => {
    const looked: TaskGlance[] = [];
    // Of the tick's beginning: what is due in this minute is not missed by a tick that ends in the next.
    const minute = Math.floor(clock.now() / MINUTE_MS);
    return {
      look(task, isUnconverged) {
        looked.push({ task, isUnconverged });
      },
      async tell(deadlineMs) {
        const tick = { minute, deadlineMs };
        try {
          const seen: TaskGlance[] = [];
          await forEachInFlight(looked, CONCURRENT_LOOKS, async (one) => {
            seen.push({ ...one, task: await liveOf(one.task) });
          });
          const backlogs = await countBacklogs(seen, tick);
          const oldest = new Map<string, number>();
          for (const [taskId, { backlogMessages, oldestStoredAtMs }] of await readSamples(seen, tick)) {
            backlogs.set(taskId, backlogMessages);
            if (oldestStoredAtMs !== undefined) oldest.set(taskId, oldestStoredAtMs);
          }
          const deadLetters = await countDeadLetters(seen, tick);
          const nowMs = clock.now();
          metrics.write('tick', serviceDocument(seen, { backlogs, oldest, deadLetters }, { ...ids, nowMs }));
        } catch (error) {
          logger.error('the metrics of the service were not told', { error });
        }
      },
    };
  };
}

/** What does not run as it should, or overflows, may fill its queue. */
function isSuspect({ desired, status, overflowing, resources }: Task): boolean {
  const runs = status === 'running' || status === 'paused';
  return !runs || overflowing === true || (desired === 'running' && resources.overflow !== undefined);
}

/** Spread over the minutes by the last characters of the id, which are random. */
function isTurn({ taskId }: Task, minute: number): boolean {
  const sum = [...taskId.slice(-4)].reduce((total, character) => total + character.charCodeAt(0), 0);
  return sum % QUIET_LOOK_MINUTES === minute % QUIET_LOOK_MINUTES;
}

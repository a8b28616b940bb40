import { RequestError } from '../../domain/errors/errors.ts';
import type { Balance } from '../../domain/figures/balance.ts';
import {
  addFigures,
  type Figures,
  LATENCY_STAGES,
  type Latencies,
  type LatencyStage,
  minuteOf,
  newFigures,
  sumOf,
  type Totals,
  totalsOf,
} from '../../domain/figures/figures.ts';
import { type LatencySummary, summarizeLatencies } from '../../domain/figures/latency-histogram.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigureStore } from '../../ports/figure-store.ts';
import type { GetTask } from '../tasks/get-task.ts';
import type { Backlog, ReadBalance } from './read-balance.ts';

export type FigureTotals = Totals & { failedByCode: Readonly<Record<string, number>> };

/** What a period of the series counts; in flight is no count of a period. */
export type SeriesEntry = Omit<Totals, 'inFlight'> & { at: string; syncLatencyMs: LatencySummary };

export interface TaskMetrics {
  taskId: string;
  /** ISO 8601, UTC. */
  at: string;
  totals: FigureTotals;
  backlog: Backlog;
  /** Of the range. */
  syncLatencyMs: LatencySummary & { messages: number };
  latencyPartsMs: Record<Exclude<LatencyStage, 'sync'>, LatencySummary>;
  balance: Balance & { countedTwice: number };
  from: string;
  to: string;
  periodSeconds: 60 | 3600;
  series: SeriesEntry[];
}

export interface MetricsRequest {
  taskId: string;
  fromMs?: number | undefined;
  toMs?: number | undefined;
  periodSeconds?: 60 | 3600 | undefined;
}

/** Figures of a task. Throws `RequestError` 404 `TASK_NOT_FOUND`, 400 `RANGE_INVALID`. */
export type GetMetrics = (request: MetricsRequest) => Promise<TaskMetrics>;

const HOUR_MS = 3_600_000;
/** Minutes are told for a day at a time, hours for 31. */
const MAX_PERIODS = { 60: 1_440, 3600: 744 } as const;
/** A longer range is told by the hour, unless it says otherwise. */
const MINUTES_UP_TO_MS = 6 * HOUR_MS;

export function createGetMetrics({
  getTask,
  figures,
  readBalance,
  clock,
}: {
  getTask: GetTask;
  figures: Pick<FigureStore, 'totals' | 'read'>;
  readBalance: ReadBalance;
  clock: Pick<Clock, 'now'>;
}): GetMetrics {
  return async ({ taskId, ...request }) => {
    const nowMs = clock.now();
    const { fromMs, toMs, periodSeconds } = rangeOf(request, nowMs);
    const task = await getTask(taskId);
    const range = { fromMinute: minuteOf(fromMs), toMinute: minuteOf(toMs) };
    // Before the periods: what is written in between is in these, so that no total is without its latencies.
    const sum = await figures.totals(taskId);
    const [periods, { balance, backlog }] = await Promise.all([
      figures.read(taskId, range, periodSeconds === 60 ? 'minute' : 'hour'),
      readBalance(task),
    ]);
    const { totals, countedTwice } = totalsOf(sum);
    const inRange = newFigures();
    for (const period of periods) addFigures(inRange, period.figures);
    return {
      taskId,
      at: new Date(nowMs).toISOString(),
      totals: { ...totals, failedByCode: sum.failed },
      backlog,
      syncLatencyMs: {
        ...summaryOf(inRange.latencies, 'sync'),
        messages: sumOf(inRange.latencies.sync),
      },
      latencyPartsMs: partsOf(inRange.latencies),
      balance: { ...balance, countedTwice },
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      periodSeconds,
      series: periods.map(({ startMs, figures: of }) => entryOf(startMs, of)),
    };
  };
}

function rangeOf(
  { fromMs, toMs: until, periodSeconds }: Omit<MetricsRequest, 'taskId'>,
  nowMs: number,
): { fromMs: number; toMs: number; periodSeconds: 60 | 3600 } {
  const toMs = until ?? nowMs;
  const from = fromMs ?? toMs - HOUR_MS;
  const period = periodSeconds ?? (toMs - from <= MINUTES_UP_TO_MS ? 60 : 3600);
  const periods = Math.ceil((toMs - from) / (period * 1_000));
  if (from > toMs || periods > MAX_PERIODS[period]) {
    const message =
      from > toMs
        ? 'the range ends before it begins: `from` must be before `to`'
        : `the range has ${periods} periods of ${period} s, and ${MAX_PERIODS[period]} are answered at a time: ask for a shorter one, or for hours (\`period=3600\`)`;
    throw new RequestError(400, 'RANGE_INVALID', message);
  }
  return { fromMs: from, toMs, periodSeconds: period };
}

function entryOf(startMs: number, figures: Figures): SeriesEntry {
  return {
    at: new Date(startMs).toISOString(),
    ...figures.counts,
    failed: sumOf(figures.failed),
    syncLatencyMs: summaryOf(figures.latencies, 'sync'),
  };
}

function partsOf(latencies: Latencies): TaskMetrics['latencyPartsMs'] {
  const parts = LATENCY_STAGES.filter((stage) => stage !== 'sync').map(
    (stage) => [stage, summaryOf(latencies, stage)] as const,
  );
  return Object.fromEntries(parts) as TaskMetrics['latencyPartsMs'];
}

/** Zeros where nothing was measured: `messages` tells that. */
function summaryOf(latencies: Latencies, stage: LatencyStage): LatencySummary {
  return summarizeLatencies(latencies[stage]) ?? { p50: 0, p95: 0, p99: 0, max: 0 };
}

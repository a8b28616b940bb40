import type { GetMetrics, TaskMetrics } from '../control/figures/get-metrics.ts';
import type { ScrapeMetrics } from '../control/figures/scrape-metrics.ts';
import { startOfMinuteMs } from '../domain/figures/figures.ts';
import type { METRICS_ROUTES } from './metrics-routes.ts';
import type { MetricsAnswer } from './metrics-schemas.ts';
import type { Operations } from './route.ts';

export interface MetricsUseCases {
  getMetrics: GetMetrics;
  scrapeMetrics: ScrapeMetrics;
}

/** What each route of the figures does. */
export function metricsOperations(use: MetricsUseCases): Operations<typeof METRICS_ROUTES> {
  return {
    'GET /tasks/{taskId}/metrics': async ({ params: { taskId }, query: { from, to, period } }) => {
      const metrics = await use.getMetrics({
        taskId,
        fromMs: from === undefined ? undefined : Date.parse(from),
        toMs: to === undefined ? undefined : Date.parse(to),
        periodSeconds: period,
      });
      return { status: 200, body: metricsAnswer(metrics) };
    },
    'GET /metrics': async () => ({
      status: 200,
      body: await use.scrapeMetrics(),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    }),
  };
}

function metricsAnswer({ balance, ...metrics }: TaskMetrics): MetricsAnswer {
  const { minutes, ...rest } = balance;
  const timeOf = (minute: number) => new Date(startOfMinuteMs(minute)).toISOString();
  return {
    ...metrics,
    totals: { ...metrics.totals, failedByCode: { ...metrics.totals.failedByCode } },
    balance: {
      ...rest,
      ...(minutes === undefined ? {} : { from: timeOf(minutes.from), to: timeOf(minutes.through + 1) }),
      minutes: minutes?.compared ?? 0,
    },
  };
}

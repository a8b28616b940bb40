import { z } from 'zod';
import { MetricsAnswer } from './metrics-schemas.ts';
import type { Routes } from './route.ts';
import { NoQuery, Timestamp } from './schemas.ts';
import { TaskParams } from './task-routes.ts';

const Period = z
  .enum(['60', '3600'])
  .transform((text) => (text === '60' ? 60 : 3600))
  .optional()
  .meta({ description: 'Seconds of one entry; default: 60 for up to six hours, else 3600' });

export const METRICS_ROUTES = {
  'GET /tasks/{taskId}/metrics': {
    operationId: 'getTaskMetrics',
    summary: 'Read the figures of a task',
    description:
      'Totals since the task was made, and latencies and series of a range: minutes of the last two days, hours of the last 30.',
    params: TaskParams,
    query: z.strictObject({
      from: Timestamp.optional().meta({ description: 'Default: an hour before `to`' }),
      to: Timestamp.optional().meta({ description: 'Default: now' }),
      period: Period,
    }),
    answers: { 200: { description: 'The figures', schema: MetricsAnswer } },
    problems: [404],
  },
  'GET /metrics': {
    operationId: 'scrapeMetrics',
    summary: 'The figures of all tasks, for Prometheus',
    description: 'Text format 0.0.4, of at most 1,000 tasks.',
    params: z.strictObject({}),
    query: NoQuery,
    answers: {
      200: { description: 'Counters, gauges and histograms', schema: z.string(), contentType: 'text/plain' },
    },
    problems: [],
  },
} as const satisfies Routes;

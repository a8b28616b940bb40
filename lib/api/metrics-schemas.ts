import { z } from 'zod';
import { COUNT_NAMES } from '../domain/figures/figures.ts';
import { Timestamp } from './schemas.ts';

const count = z.int().min(0);

const COUNT_DESCRIPTIONS: Readonly<Record<(typeof COUNT_NAMES)[number], string>> = {
  consumed: 'Source messages, each once, at its first receipt',
  replicated: 'Accepted by the target',
  filtered: 'No filter matches',
  loopSkipped: 'The task, or too many others, have carried it before',
  deduplicated: 'Copies that the task itself has recognised',
  expired: 'Older than it or its task allows',
  retried: 'Later receipts, and sendings again',
  bytes: 'Payload bytes of what was replicated',
  overlap: 'Copies that another filter of the task brought too; not consumed',
  takenBack:
    'First receipts that count no more: left to the next owner, or of copies. Comes off `consumed`: in totals it has, in a series it has not',
  skipped: 'Born before the task wanted to start; not consumed',
  redriven: 'Dead letters that were carried after all',
};

const counts = Object.fromEntries(
  COUNT_NAMES.map((name) => [name, count.meta({ description: COUNT_DESCRIPTIONS[name] })]),
) as Record<(typeof COUNT_NAMES)[number], typeof count>;

const Failed = count.meta({ description: 'Dead letters; redriven ones leave, discarded ones stay' });

const Latency = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });

const Totals = z
  .object({
    ...counts,
    failed: Failed,
    failedByCode: z.record(z.string(), z.int()),
    inFlight: count.meta({ description: 'Consumed, and without an outcome yet' }),
  })
  .meta({
    description:
      'Since the task was made. consumed = replicated + failed + filtered + loopSkipped + deduplicated + expired + inFlight',
  });

const Backlog = z
  .object({
    messages: count,
    oldestAgeSeconds: z.number().optional().meta({ description: 'Absent: the source does not tell' }),
    approximate: z.literal(true),
    at: Timestamp,
    source: z.enum(['queue', 'consumer-group', 'none']).meta({
      description: 'Who tells; `none`: nobody does, and `messages` says nothing',
    }),
  })
  .meta({ description: 'What waits at the source' });

const Balance = z
  .object({
    balanced: z.boolean().meta({ description: 'The difference is within the tolerance' }),
    difference: z.int().meta({ description: 'counted − witnessed' }),
    tolerance: count.meta({ description: 'What may be under way at the edges of the minutes compared' }),
    witness: z.enum(['receipts', 'positions', 'queue', 'none']).meta({
      description: 'Who tells beside the figures; `none`: `balanced` tells the identity alone',
    }),
    counted: z.int(),
    witnessed: z.int(),
    from: Timestamp.optional(),
    to: Timestamp.optional(),
    minutes: count.meta({ description: 'Minutes compared; those in which a shift was killed are left out' }),
    countedTwice: count.meta({
      description: 'Outcomes beyond the first receipts counted: what a crash has made count twice',
    }),
  })
  .meta({ description: 'The figures of ten minutes, closed for five, against what the source says of them' });

const SeriesEntry = z.object({ at: Timestamp, ...counts, failed: z.int(), syncLatencyMs: Latency });

/** Figures of a task, as the API answers them. */
export const MetricsAnswer = z.object({
  taskId: z.string(),
  at: Timestamp,
  totals: Totals,
  backlog: Backlog,
  syncLatencyMs: Latency.extend({
    messages: count.meta({ description: 'How many were measured; none: all zeros' }),
  }).meta({
    description: 'Accepted by the target − source time, in the range; upper bounds within 15 %',
  }),
  latencyPartsMs: z
    .object({ source: Latency, queue: Latency, function: Latency, target: Latency })
    .meta({ description: 'Where that time was spent; upper bounds within a factor of two' }),
  balance: Balance,
  from: Timestamp,
  to: Timestamp,
  periodSeconds: z.union([z.literal(60), z.literal(3600)]),
  series: z.array(SeriesEntry).meta({ description: 'Periods in which something was counted, oldest first' }),
});
export type MetricsAnswer = z.infer<typeof MetricsAnswer>;

import { type Figures, sumOf, totalsOf } from '../../domain/figures/figures.ts';
import { boundOf, type LatencyHistogram } from '../../domain/figures/latency-histogram.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import { TASK_STATUSES, type Task } from '../../domain/tasks/task.ts';
import type { FigureStore } from '../../ports/figure-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import type { LiveStatus } from '../tasks/live-status.ts';

const PAGE = 100;
/** Tasks of one answer: each is two reads of the table, three where a shift carries its messages. */
const MAX_TASKS = 1_000;
const CONCURRENT_READS = 32;
/** Every fifth bucket, 1 ms to about an hour: each is twice the one before. */
const BOUND_STEP = 5;
const LAST_BOUND = 110;

/** The figures of all tasks as Prometheus scrapes them (text format 0.0.4). */
export type ScrapeMetrics = () => Promise<string>;

interface Scraped {
  task: Task;
  figures: Figures;
}

export function createScrapeMetrics({
  tasks,
  figures,
  liveStatus,
}: {
  tasks: Pick<TaskStore, 'list'>;
  figures: Pick<FigureStore, 'totals'>;
  liveStatus: LiveStatus;
}): ScrapeMetrics {
  async function allTasks(): Promise<Task[]> {
    const all: Task[] = [];
    let cursor: string | undefined;
    do {
      const page = await tasks.list({}, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      all.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined && all.length < MAX_TASKS);
    return all.slice(0, MAX_TASKS);
  }

  return async () => {
    const scraped: Scraped[] = [];
    await forEachInFlight(await allTasks(), CONCURRENT_READS, async (task) => {
      const [live, counted] = await Promise.all([liveStatus(task), figures.totals(task.taskId)]);
      scraped.push({ task: live, figures: counted });
    });
    scraped.sort((one, other) => (one.task.taskId < other.task.taskId ? -1 : 1));
    return [...FAMILIES.flatMap((family) => linesOf(family, scraped)), ''].join('\n');
  };
}

interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  /** Suffix of the name, further labels, value. */
  samples(scraped: Scraped): (readonly [suffix: string, labels: Record<string, string>, value: number])[];
}

const total = ({ figures }: Scraped) => totalsOf(figures).totals;

const FAMILIES: readonly Family[] = [
  {
    name: 'mqferry_consumed_messages_total',
    type: 'counter',
    help: 'Source messages at their first receipt; less those taken back each once.',
    samples: ({ figures }) => [['', {}, figures.counts.consumed]],
  },
  {
    name: 'mqferry_taken_back_messages_total',
    type: 'counter',
    help: 'First receipts that count no more: left to the next owner, who counts them, or of copies.',
    samples: ({ figures }) => [['', {}, figures.counts.takenBack]],
  },
  {
    name: 'mqferry_messages_total',
    type: 'counter',
    help: 'Messages by what became of them.',
    samples(one) {
      const { replicated, filtered, loopSkipped, deduplicated, expired } = total(one);
      const outcomes = { replicated, filtered, loopSkipped, deduplicated, expired };
      return Object.entries(outcomes).map(([outcome, value]) => ['', { outcome }, value]);
    },
  },
  {
    name: 'mqferry_failed_messages',
    type: 'gauge',
    help: 'Dead letters by code; redriven ones leave.',
    samples: ({ figures }) => Object.entries(figures.failed).map(([code, value]) => ['', { code }, value]),
  },
  {
    name: 'mqferry_retried_messages_total',
    type: 'counter',
    help: 'Later receipts, and sendings again.',
    samples: (one) => [['', {}, total(one).retried]],
  },
  {
    name: 'mqferry_replicated_bytes_total',
    type: 'counter',
    help: 'Payload bytes of what was replicated.',
    samples: (one) => [['', {}, total(one).bytes]],
  },
  {
    name: 'mqferry_in_flight_messages',
    type: 'gauge',
    help: 'Consumed, and without an outcome yet.',
    samples: (one) => [['', {}, total(one).inFlight]],
  },
  {
    name: 'mqferry_task_status',
    type: 'gauge',
    help: '1 for the status that the task has.',
    samples: ({ task }) => TASK_STATUSES.map((status) => ['', { status }, task.status === status ? 1 : 0]),
  },
  {
    name: 'mqferry_sync_latency_seconds',
    type: 'histogram',
    help: 'Accepted by the target minus source time.',
    samples: ({ figures }) => histogramOf(figures.latencies.sync),
  },
];

function histogramOf(histogram: LatencyHistogram): ReturnType<Family['samples']> {
  const messages = sumOf(histogram);
  const upTo = (bound: number) =>
    sumOf(Object.fromEntries(Object.entries(histogram).filter(([bucket]) => Number(bucket) <= bound)));
  const buckets: ReturnType<Family['samples']> = [];
  for (let bound = 0; bound <= LAST_BOUND; bound += BOUND_STEP) {
    buckets.push(['_bucket', { le: secondsOf(bound) }, upTo(bound)]);
  }
  // Not measured, but told by the upper bounds of the buckets.
  const seconds = sumOf(
    Object.fromEntries(
      Object.entries(histogram).map(([bucket, count]) => [bucket, (boundOf(Number(bucket)) * count) / 1_000]),
    ),
  );
  return [...buckets, ['_bucket', { le: '+Inf' }, messages], ['_sum', {}, seconds], ['_count', {}, messages]];
}

function secondsOf(bucket: number): string {
  return String(Number((boundOf(bucket) / 1_000).toPrecision(4)));
}

function linesOf({ name, type, help, samples }: Family, all: readonly Scraped[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...all.flatMap((one) => {
      const { taskId: task, direction, definition } = one.task;
      const own = { task, name: definition.taskName, direction };
      return samples(one).map(
        ([suffix, labels, value]) => `${name}${suffix}{${labelsOf({ ...own, ...labels })}} ${value}`,
      );
    }),
  ];
}

/** Quotes, back-slashes and line ends are escaped, as the format wants. */
function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');
}

import type { Balance } from '../../lib/domain/balance.ts';
import { boundOf, bucketOf, type LatencySummary } from '../../lib/domain/latency-histogram.ts';
import type { ApiClient } from '../../local/api-client.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Rows } from '../trials/rows.ts';
import type { ExactPath } from './paths.ts';

/** The emulator's AWS IoT and queue carry some hundreds a second. */
const SETTLED_MS = 15 * 60_000;
const POLL_MS = 2_000;
/** What nothing is added to for so long is final: each lane writes after 5 s at most. */
const QUIET_MS = 15_000;
const PAGE = 100;
const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** `GET /tasks/{taskId}/metrics`, as far as it is compared. */
export interface Metrics {
  totals: Record<'consumed' | 'replicated' | 'failed' | 'inFlight' | 'retried', number>;
  syncLatencyMs: LatencySummary;
  balance: Balance & { countedTwice: number };
}

export async function metricsOf(api: ApiClient, taskId: string): Promise<Metrics> {
  const { body } = await api('GET', `/tasks/${taskId}/metrics`);
  return body as Metrics;
}

/** The figures when every message has its outcome and nothing moves any more. */
export async function settledMetrics(
  api: ApiClient,
  { taskId, source, witness }: ExactPath,
): Promise<Metrics> {
  let last = '';
  let sinceMs = Date.now();
  return await eventually(
    () => metricsOf(api, taskId),
    ({ totals }) => {
      const now = JSON.stringify([totals, witness?.all]);
      if (now !== last) sinceMs = Date.now();
      last = now;
      return totals.replicated + totals.failed >= source.accepted && Date.now() - sinceMs >= QUIET_MS;
    },
    { timeoutMs: SETTLED_MS, everyMs: POLL_MS, what: `every message of ${taskId} has its outcome` },
  );
}

/** How many dead letters the API lists. */
export async function listedDeadLetters(api: ApiClient, taskId: string): Promise<number> {
  const ids = new Set<string>();
  let nextToken: string | undefined;
  do {
    const query = nextToken === undefined ? '' : `&nextToken=${encodeURIComponent(nextToken)}`;
    const { body } = await api('GET', `/tasks/${taskId}/dead-letters?limit=${PAGE}${query}`);
    for (const { deadLetterId } of body.items as { deadLetterId: string }[]) ids.add(deadLetterId);
    nextToken = body.nextToken as string | undefined;
  } while (nextToken !== undefined);
  return ids.size;
}

/** Nothing was given twice: each figure is what somebody outside has counted. */
export function tellExact(rows: Rows, one: ExactPath, metrics: Metrics, deadLetters: number): void {
  const { totals, balance } = metrics;
  const equal = (what: string, wanted: number, seen: number) =>
    rows.expect(`${one.path}: ${what}`, String(wanted), seen, seen === wanted);
  equal('consumed = published', one.source.accepted, totals.consumed);
  equal('replicated = read at the target', one.witness?.all ?? 0, totals.replicated);
  equal('failed = dead letters listed', deadLetters, totals.failed);
  equal('failed = planted', one.source.faulty, totals.failed);
  equal('lost', 0, one.source.accepted - one.source.faulty - (one.witness?.distinct ?? 0));
  equal('in flight', 0, totals.inFlight);
  equal('counted twice', 0, balance.countedTwice);
}

/** Some were given twice: no figure is below what happened, nor above what was given. */
export function tellRepeated(rows: Rows, one: ExactPath, metrics: Metrics, deadLetters: number): void {
  const { totals, balance } = metrics;
  const { accepted, faulty } = one.source;
  const { all, distinct } = one.witness ?? { all: 0, distinct: 0 };
  const copies = all - distinct;
  const within = (what: string, least: number, most: number, seen: number) =>
    rows.expect(`${one.path}: ${what}`, `${least} to ${most}`, seen, seen >= least && seen <= most);
  rows.tell(`${one.path}: copies at the target`, copies);
  within('consumed, published and copies', accepted, accepted + copies, totals.consumed);
  within('replicated, different and all at the target', distinct, all, totals.replicated);
  within('failed, planted and dead letters listed', faulty, deadLetters, totals.failed);
  within('lost', 0, 0, accepted - faulty - distinct);
  within('in flight', 0, 0, totals.inFlight);
  within('counted twice', 0, copies, balance.countedTwice);
  rows.tell(`${one.path}: retried`, totals.retried);
}

/** The API's percentiles beside those of the raw samples: at most one bucket apart. */
export function tellLatencies(rows: Rows, { path, witness }: ExactPath, { syncLatencyMs }: Metrics): void {
  const samples = (witness?.latenciesMs ?? []).toSorted((one, other) => one - other);
  for (const [name, share] of Object.entries(SHARES)) {
    const raw = samples[Math.ceil(samples.length * share) - 1] ?? Number.NaN;
    const seen = syncLatencyMs[name as keyof typeof SHARES];
    const bucket = bucketOf(raw);
    const [least, most] = [boundOf(Math.max(0, bucket - 1)), Math.ceil(boundOf(bucket + 1))];
    rows.expect(
      `${path}: ${name} of the API, raw ${raw} ms`,
      `${least.toFixed(1)} to ${most} ms`,
      `${seen} ms`,
      seen >= least && seen <= most,
    );
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Balance } from '../../lib/domain/figures/balance.ts';
import { boundOf, bucketOf, type LatencySummary } from '../../lib/domain/figures/latency-histogram.ts';
import type { ApiClient } from '../../local/api-client.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Rows } from '../trials/rows.ts';
import type { ExactPath } from './paths.ts';

/** The emulator's AWS IoT and queue carry some hundreds a second. */
const SETTLED_MS = 20 * 60_000;
const POLL_MS = 2_000;
/** What nothing is added to for so long is final: each lane writes after 5 s at most. */
const QUIET_MS = 15_000;
/** Dead letters of the rule path and of sessions go through a queue. */
const LISTED_MS = 60_000;
const PAGE = 100;
/** One answer of the API that does not come, on a machine that does everything at once, is no finding. */
const ASKS = 4;
const ASK_AGAIN_MS = 2_000;
const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** A balance as the API shows it. */
export type ShownBalance = Omit<Balance, 'minutes'> & { minutes: number };

/** `GET /tasks/{taskId}/metrics`, as far as it is compared. */
export interface Metrics {
  totals: Record<'consumed' | 'replicated' | 'failed' | 'inFlight' | 'retried', number>;
  syncLatencyMs: LatencySummary;
  balance: ShownBalance & { countedTwice: number };
}

export async function metricsOf(api: ApiClient, taskId: string): Promise<Metrics> {
  return (await asked(api, `/tasks/${taskId}/metrics`)) as Metrics;
}

async function asked(api: ApiClient, path: string): Promise<unknown> {
  for (let asks = 1; ; asks += 1) {
    try {
      return (await api('GET', path)).body;
    } catch (error) {
      if (asks === ASKS) throw error;
      await delay(ASK_AGAIN_MS);
    }
  }
}

/** The figures when every message has its outcome and nothing moves any more. */
export async function settledMetrics(api: ApiClient, one: ExactPath): Promise<Metrics> {
  return quietMetrics(api, one, ({ replicated, failed }) => replicated + failed >= one.source.accepted);
}

/** The same where functions were killed, which take with them what they had not told: the witness has every message. */
export async function metricsInTheEnd(api: ApiClient, one: ExactPath): Promise<Metrics> {
  return quietMetrics(api, one, () => lostOf(one) <= 0);
}

async function quietMetrics(
  api: ApiClient,
  { taskId, witness }: ExactPath,
  isAllThere: (totals: Metrics['totals']) => boolean,
): Promise<Metrics> {
  let last = '';
  let sinceMs = Date.now();
  return await eventually(
    () => metricsOf(api, taskId),
    ({ totals }) => {
      const now = JSON.stringify([totals, witness?.all]);
      if (now !== last) sinceMs = Date.now();
      last = now;
      return isAllThere(totals) && Date.now() - sinceMs >= QUIET_MS;
    },
    { timeoutMs: SETTLED_MS, everyMs: POLL_MS, what: `every message of ${taskId} has its outcome` },
  );
}

/** How many dead letters the API lists, as soon as there are so many; else those that there are in the end. */
export async function listedDeadLetters(api: ApiClient, taskId: string, wanted: number): Promise<number> {
  let listed = 0;
  await eventually(
    async () => {
      listed = await countDeadLetters(api, taskId);
      return listed;
    },
    (count) => count >= wanted,
    { timeoutMs: LISTED_MS, everyMs: POLL_MS, what: `${wanted} dead letters of ${taskId} are listed` },
  ).catch(() => undefined);
  return listed;
}

async function countDeadLetters(api: ApiClient, taskId: string): Promise<number> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { items, nextCursor } = (await asked(
      api,
      `/tasks/${taskId}/dead-letters?limit=${PAGE}${query}`,
    )) as { items: { deadLetterId: string }[]; nextCursor?: string };
    for (const { deadLetterId } of items) ids.add(deadLetterId);
    cursor = nextCursor;
  } while (cursor !== undefined);
  return ids.size;
}

/** Nothing was given twice on purpose; what came twice all the same, as under load it may, the witness has seen. Each figure is what somebody outside has counted. */
export function tellExact(rows: Rows, one: ExactPath, metrics: Metrics, deadLetters: number): void {
  const { totals, balance } = metrics;
  const equal = (what: string, wanted: number, seen: number) =>
    rows.expect(`${one.path}: ${what}`, String(wanted), seen, seen === wanted);
  const copies = (one.witness?.all ?? 0) - (one.witness?.distinct ?? 0);
  equal('consumed = published, and copies at the target', one.source.accepted + copies, totals.consumed);
  equal('replicated = read at the target', one.witness?.all ?? 0, totals.replicated);
  equal('failed = dead letters listed', deadLetters, totals.failed);
  equal('failed = planted', one.source.faulty, totals.failed);
  equal('lost', 0, lostOf(one));
  equal('in flight', 0, totals.inFlight);
  equal('counted twice = copies at the target', copies, balance.countedTwice);
  tellWitness(rows, one);
}

/** Some of those for the target were given twice: no figure is below what happened, nor above what was given. */
export function tellRepeated(rows: Rows, one: ExactPath, metrics: Metrics, deadLetters: number): void {
  const { totals, balance } = metrics;
  const { accepted, faulty } = one.source;
  const { all, distinct } = one.witness ?? { all: 0, distinct: 0 };
  const copies = all - distinct;
  const within = (what: string, least: number, most: number, seen: number) =>
    rows.expect(
      `${one.path}: ${what}`,
      least === most ? `${least}` : `${least} to ${most}`,
      seen,
      seen >= least && seen <= most,
    );
  rows.expect(`${one.path}: copies at the target`, '> 0', copies, copies > 0);
  within('consumed: published, and copies', accepted, accepted + copies, totals.consumed);
  within('replicated: different ones, and all at the target', distinct, all, totals.replicated);
  within('failed = dead letters listed', deadLetters, deadLetters, totals.failed);
  within('failed = planted', faulty, faulty, totals.failed);
  within('lost', 0, 0, lostOf(one));
  within('in flight', 0, 0, totals.inFlight);
  rows.tell(`${one.path}: counted twice`, balance.countedTwice);
  rows.tell(`${one.path}: retried`, totals.retried);
  tellWitness(rows, one);
}

/** After functions were killed: what a crash may distort is told, what it may not is asked for. */
export function tellKilled(rows: Rows, one: ExactPath, { totals, balance }: Metrics): void {
  const { all, distinct } = one.witness ?? { all: 0, distinct: 0 };
  rows.expect(`${one.path}: lost`, '0', lostOf(one), lostOf(one) === 0);
  const isCovered = totals.consumed === totals.replicated + totals.failed + totals.inFlight;
  rows.expect(
    `${one.path}: consumed = replicated + failed + in flight`,
    'true',
    String(isCovered),
    isCovered,
  );
  rows.tell(`${one.path}: in flight`, totals.inFlight);
  rows.tell(`${one.path}: copies at the target`, all - distinct);
  rows.tell(`${one.path}: counted twice`, balance.countedTwice);
  rows.tell(`${one.path}: consumed − published`, totals.consumed - one.source.accepted);
  rows.tell(`${one.path}: replicated − read at the target`, totals.replicated - all);
  tellWitness(rows, one);
}

function lostOf({ source, witness }: ExactPath): number {
  return source.accepted - source.faulty - (witness?.distinct ?? 0);
}

function tellWitness(rows: Rows, { path, witness }: ExactPath): void {
  const fault = witness?.fault;
  rows.expect(`${path}: its witness reads on`, 'true', fault ?? 'true', fault === undefined);
}

/**
 * The API's percentiles beside those of the raw samples: at most one bucket apart.
 *
 * @param raw - of each message, as its function has told it for this one message
 */
export function tellLatencies(
  rows: Rows,
  { path, witness }: ExactPath,
  { syncLatencyMs, totals }: Metrics,
  raw: readonly number[],
): void {
  rows.expect(
    `${path}: raw samples`,
    String(totals.replicated),
    raw.length,
    raw.length === totals.replicated,
  );
  const samples = sorted(raw);
  const outside = sorted(witness?.latenciesMs ?? []);
  for (const [name, share] of Object.entries(SHARES)) {
    const wanted = at(samples, share);
    const seen = syncLatencyMs[name as keyof typeof SHARES];
    const bucket = bucketOf(wanted);
    const [least, most] = [boundOf(Math.max(0, bucket - 1)), Math.ceil(boundOf(bucket + 1))];
    rows.expect(
      `${path}: ${name} of the API, raw ${wanted} ms, by the witness ${at(outside, share)} ms`,
      `${least.toFixed(1)} to ${most} ms`,
      `${seen} ms`,
      seen >= least && seen <= most,
    );
  }
}

const sorted = (values: readonly number[]) => values.toSorted((one, other) => one - other);
const at = (samples: readonly number[], share: number) =>
  samples[Math.ceil(samples.length * share) - 1] ?? Number.NaN;

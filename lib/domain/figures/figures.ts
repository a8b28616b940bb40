import { lastErrors, type MessageError } from '../errors/message-errors.ts';
import { addCoarseLatency, addLatency, type LatencyHistogram, mergeLatencies } from './latency-histogram.ts';

/** What is counted of a task's messages, beside failures and latencies. */
export const COUNT_NAMES = [
  /** Source messages, each once, at its first receipt. */
  'consumed',
  /** Accepted by the target. */
  'replicated',
  /** No filter matches. */
  'filtered',
  /** The task, or too many others, have carried it before. */
  'loopSkipped',
  /** A copy that the task itself has recognised. */
  'deduplicated',
  /** Older than it or its task allows. */
  'expired',
  /** Later receipts, and sendings again. */
  'retried',
  /** Payload bytes of what was replicated. */
  'bytes',
  /** Copies that another filter of the task brought too; neither consumed nor in the identity. */
  'overlap',
  /** First receipts that count no more: of what an owner has left to the next one, and of copies that were known as such later. */
  'takenBack',
  /** Born before the task wanted to start; neither consumed nor in the identity. */
  'skipped',
  /** Dead letters that were carried after all. */
  'redriven',
] as const;

export type CountName = (typeof COUNT_NAMES)[number];
export type Counts = Record<CountName, number>;

/** Where a message spent its time. `sync` is all of it: accepted by the target − source time. */
export const LATENCY_STAGES = ['sync', 'source', 'queue', 'function', 'target'] as const;
export type LatencyStage = (typeof LATENCY_STAGES)[number];
export type Latencies = Record<LatencyStage, LatencyHistogram>;

/** What was counted: of a batch, a minute, an hour, or since the task was made. Adding is all that is done with it. */
export interface Figures {
  counts: Counts;
  /** Dead letters by code; what is redriven leaves again. */
  failed: Record<string, number>;
  latencies: Latencies;
  /** First receipts by the minute in which the source had the message, where it has a witness of its own that counts so. */
  sourceMinutes: Record<number, number>;
  /** The last failures of single messages, newest first, a bounded number. */
  errors: readonly MessageError[];
}

/** The figures of a task as they are shown. */
export interface Totals extends Counts {
  failed: number;
  inFlight: number;
}

export function newCounts(): Counts {
  return {
    consumed: 0,
    replicated: 0,
    filtered: 0,
    loopSkipped: 0,
    deduplicated: 0,
    expired: 0,
    retried: 0,
    bytes: 0,
    overlap: 0,
    takenBack: 0,
    skipped: 0,
    redriven: 0,
  };
}

export function newLatencies(): Latencies {
  return { sync: {}, source: {}, queue: {}, function: {}, target: {} };
}

export function newFigures(): Figures {
  return { counts: newCounts(), failed: {}, latencies: newLatencies(), sourceMinutes: {}, errors: [] };
}

/** Adds the second figures to the first. */
export function addFigures(into: Figures, other: Figures): void {
  for (const name of COUNT_NAMES) into.counts[name] += other.counts[name];
  addByKey(into.failed, other.failed);
  addByKey(into.sourceMinutes, other.sourceMinutes);
  for (const stage of LATENCY_STAGES) mergeLatencies(into.latencies[stage], other.latencies[stage]);
  if (other.errors.length > 0) into.errors = lastErrors([...into.errors, ...other.errors]);
}

export function isEmpty({ counts, failed, latencies, sourceMinutes, errors }: Figures): boolean {
  if (errors.length > 0 || COUNT_NAMES.some((name) => counts[name] !== 0)) return false;
  const records = [failed, sourceMinutes, ...Object.values(latencies)];
  return records.every((record) => Object.keys(record).length === 0);
}

/**
 * What is shown of the figures, so that
 * `consumed = replicated + failed + filtered + loopSkipped + deduplicated + expired + inFlight` whatever was counted: in flight
 * is what was consumed and has no outcome yet. Counts only grow, so that what was taken back is a count of its own; here it is gone.
 *
 * Where there are more outcomes than first receipts, a crash has made an outcome count twice, or has lost a first receipt: each
 * outcome is proof of a receipt, so these are added to `consumed`, and told as `countedTwice`.
 */
export function totalsOf({ counts, failed }: Pick<Figures, 'counts' | 'failed'>): {
  totals: Totals;
  countedTwice: number;
} {
  const failures = Math.max(0, sumOf(failed));
  const { replicated, filtered, loopSkipped, deduplicated, expired } = counts;
  const outcomes = replicated + failures + filtered + loopSkipped + deduplicated + expired;
  const first = counts.consumed - counts.takenBack;
  const consumed = Math.max(first, outcomes);
  return {
    totals: { ...counts, consumed, failed: failures, inFlight: consumed - outcomes },
    countedTwice: consumed - first,
  };
}

export function sumOf(record: Readonly<Record<string | number, number>>): number {
  return Object.values(record).reduce((sum, count) => sum + count, 0);
}

export function addByKey<Key extends string | number>(
  into: Record<Key, number>,
  other: Readonly<Record<Key, number>>,
): void {
  for (const key of Object.keys(other) as Key[]) {
    const sum = (into[key] ?? 0) + other[key];
    if (sum === 0) delete into[key];
    else into[key] = sum;
  }
}

const MINUTE_MS = 60_000;

/** A minute may be written to for so long. */
export const WRITABLE_MINUTES = 8;
/** One that is so old is folded; what lies between is for clocks that differ, and calls that last. */
export const FOLD_AFTER_MINUTES = 10;

/** Minutes since the epoch: how figures are kept. */
export function minuteOf(epochMs: number): number {
  return Math.floor(epochMs / MINUTE_MS);
}

export function startOfMinuteMs(minute: number): number {
  return minute * MINUTE_MS;
}

/** A time that the path does not know. */
export const UNKNOWN_TIME = Number.NaN;

/**
 * Adds where one message spent its time, or takes it back (`times` −1); all in epoch ms. Without the source's time the way
 * begins where we first know of the message. Numbers only: this is done for each message.
 */
export function addSending(
  latencies: Latencies,
  sourceMs: number,
  queuedMs: number,
  receivedMs: number,
  sentMs: number,
  acceptedMs: number,
  times = 1,
): void {
  const isQueued = !Number.isNaN(queuedMs);
  const arrivedMs = isQueued ? queuedMs : receivedMs;
  const isKnown = !Number.isNaN(sourceMs);
  addLatency(latencies.sync, acceptedMs - (isKnown ? sourceMs : arrivedMs), times);
  if (isKnown) addCoarseLatency(latencies.source, arrivedMs - sourceMs, times);
  if (isQueued) addCoarseLatency(latencies.queue, receivedMs - queuedMs, times);
  addCoarseLatency(latencies.function, sentMs - receivedMs, times);
  addCoarseLatency(latencies.target, acceptedMs - sentMs, times);
}

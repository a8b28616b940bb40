import { MAX_VALUES } from './emf.ts';

/** Neighbouring buckets differ by a tenth. */
const BASE = 1.1;
const LOG_BASE = Math.log(BASE);

/**
 * Times of many messages in little room: how many fell into each bucket of a logarithmic scale. Adding one costs the same
 * however many there are, and each value read back is within 5 % of the truth; the longest is exact.
 */
export interface Latencies {
  /** Count by bucket. Bucket 0 holds what took less than a millisecond, or was negative since clocks differ. */
  buckets: number[];
  count: number;
  maxMs: number;
}

export function newLatencies(): Latencies {
  return { buckets: [], count: 0, maxMs: 0 };
}

/** Counts a time; what is no number is left out. */
export function addLatency(latencies: Latencies, ms: number, count = 1): void {
  if (!Number.isFinite(ms)) return;
  const bucket = ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / LOG_BASE);
  addTo(latencies.buckets, bucket, count);
  latencies.count += count;
  if (ms > latencies.maxMs) latencies.maxMs = ms;
}

export function mergeLatencies(into: Latencies, from: Latencies): void {
  for (const [bucket, count] of from.buckets.entries()) addTo(into.buckets, bucket, count);
  into.count += from.count;
  into.maxMs = Math.max(into.maxMs, from.maxMs);
}

/**
 * At most 100 values that stand for all: of up to 100 each one, of more every n-th in order, and always the longest. So
 * percentiles come out as of all of them.
 */
export function latencyValues({ buckets, count, maxMs }: Latencies): number[] {
  const size = Math.min(count, MAX_VALUES);
  const values: number[] = [];
  let seen = 0;
  for (const [bucket, inBucket] of buckets.entries()) {
    seen += inBucket;
    // The value in the middle of each of `size` equal parts.
    while (values.length < size && (values.length + 0.5) * (count / size) <= seen) {
      values.push(Math.min(middleOf(bucket), maxMs));
    }
  }
  if (size > 0) values[values.length - 1] = maxMs;
  return values;
}

/** Without holes, so that the array stays a fast one. */
function addTo(buckets: number[], bucket: number, count: number): void {
  while (buckets.length <= bucket) buckets.push(0);
  buckets[bucket] = (buckets[bucket] ?? 0) + count;
}

/** The middle of a bucket. */
function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : Math.round(BASE ** (bucket - 0.5) * 10) / 10;
}

/** Each bucket ends this much above the one before: a percentile is told within 15 %. */
export const BUCKET_GROWTH = 1.15;

/** The last bucket, 1.15^155 ms or 29 days, takes everything beyond: SQS keeps messages for 14. */
export const LAST_BUCKET = 155;

/** How often each bucket was met, by its number; buckets that were not met are absent. Merging is addition. */
export type LatencyHistogram = Record<number, number>;

/** What the API tells of a histogram, in milliseconds: upper bounds of buckets, so never less than what was measured. */
export interface LatencySummary {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Upper bounds, in milliseconds: 1, 1.15, 1.32 … */
const BOUNDS: readonly number[] = Array.from(
  { length: LAST_BUCKET + 1 },
  (_, bucket) => BUCKET_GROWTH ** bucket,
);
const LOG_GROWTH = Math.log(BUCKET_GROWTH);

/** Of whole milliseconds up to some seconds, which nearly all are: a logarithm takes longer than all the rest of counting. */
const SHORT: readonly number[] = Array.from({ length: 8_192 }, (_, ms) => computedBucketOf(ms));

/** The bucket of a latency: 0 up to 1 ms, and for what clocks that differ make negative. */
export function bucketOf(ms: number): number {
  return SHORT[ms] ?? computedBucketOf(ms);
}

function computedBucketOf(ms: number): number {
  if (!(ms > 1)) return 0;
  if (ms > boundOf(LAST_BUCKET - 1)) return LAST_BUCKET;
  const bucket = Math.ceil(Math.log(ms) / LOG_GROWTH);
  // The logarithm may miss by a bit where a latency lies on a bound.
  if (ms > boundOf(bucket)) return bucket + 1;
  return ms <= boundOf(bucket - 1) ? bucket - 1 : bucket;
}

/** The greatest latency of a bucket, in milliseconds. */
export function boundOf(bucket: number): number {
  return BOUNDS[bucket] ?? Number.POSITIVE_INFINITY;
}

/** Adds one latency, or takes one back (`times` −1). */
export function addLatency(histogram: LatencyHistogram, ms: number, times = 1): void {
  count(histogram, bucketOf(ms), times);
}

function count(histogram: LatencyHistogram, bucket: number, times: number): void {
  const sum = (histogram[bucket] ?? 0) + times;
  if (sum === 0) delete histogram[bucket];
  else histogram[bucket] = sum;
}

/** Every so many buckets, where a share of a latency is told within a factor of two: a fifth of the room. */
const COARSE = 5;

/** As `addLatency`, in wider buckets: each ends where one of the narrow ones does. */
export function addCoarseLatency(histogram: LatencyHistogram, ms: number, times = 1): void {
  count(histogram, Math.ceil(bucketOf(ms) / COARSE) * COARSE, times);
}

/** Adds the second histogram to the first. */
export function mergeLatencies(into: LatencyHistogram, other: Readonly<LatencyHistogram>): void {
  for (const [bucket, times] of Object.entries(other)) count(into, Number(bucket), times);
}

/** Undefined: nothing was measured. */
export function summarizeLatencies(histogram: Readonly<LatencyHistogram>): LatencySummary | undefined {
  const buckets = Object.entries(histogram)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => one.bucket - other.bucket);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const last = buckets.at(-1);
  if (last === undefined) return undefined;
  const top = last.bucket;

  function percentile(share: number): number {
    let left = Math.ceil(total * share);
    const reached = buckets.find(({ count }) => {
      left -= count;
      return left <= 0;
    });
    return shown(reached?.bucket ?? top);
  }

  return { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: shown(top) };
}

/** Tenths of a millisecond below ten, whole ones above: latencies are measured in whole ones. */
function shown(bucket: number): number {
  const bound = boundOf(bucket);
  return bound < 10 ? Math.ceil(bound * 10) / 10 : Math.ceil(bound);
}

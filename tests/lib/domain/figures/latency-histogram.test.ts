import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addCoarseLatency,
  addLatency,
  boundOf,
  bucketOf,
  LAST_BUCKET,
  type LatencyHistogram,
  mergeLatencies,
  summarizeLatencies,
} from '../../../../lib/domain/figures/latency-histogram.ts';

const latency = fc.oneof(
  fc.integer({ min: -1_000, max: 10_000 }),
  fc.double({ min: 0, max: 3e9, noNaN: true }),
);
const histogramOf = (latencies: readonly number[]): LatencyHistogram => {
  const histogram: LatencyHistogram = {};
  for (const ms of latencies) addLatency(histogram, ms);
  return histogram;
};

describe('bucketOf', () => {
  it('has the one bucket whose bounds the latency lies between', () => {
    fc.assert(
      fc.property(latency, (ms) => {
        const bucket = bucketOf(ms);
        expect(bucket).toBeGreaterThanOrEqual(0);
        expect(bucket).toBeLessThanOrEqual(LAST_BUCKET);
        if (bucket < LAST_BUCKET) expect(ms).toBeLessThanOrEqual(boundOf(bucket));
        if (bucket > 0) expect(ms).toBeGreaterThan(boundOf(bucket - 1));
      }),
    );
  });

  it('puts every bound into its own bucket', () => {
    for (let bucket = 0; bucket < LAST_BUCKET; bucket += 1) expect(bucketOf(boundOf(bucket))).toBe(bucket);
  });

  it.each([
    [Number.NaN, 0],
    [-5, 0],
    [0, 0],
    [1, 0],
    [1.01, 1],
    [3_600_000, 109],
    [Number.POSITIVE_INFINITY, LAST_BUCKET],
  ])('takes %d', (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });
});

describe('addCoarseLatency', () => {
  it('tells at least the latency, and at most about twice as much', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (ms) => {
        const histogram: LatencyHistogram = {};
        addCoarseLatency(histogram, ms);
        const told = summarizeLatencies(histogram)?.max ?? 0;
        expect(told).toBeGreaterThanOrEqual(ms);
        expect(told).toBeLessThanOrEqual(Math.max(1, ms * 2.02 + 1));
        addCoarseLatency(histogram, ms, -1);
        expect(histogram).toEqual({});
      }),
    );
  });
});

describe('mergeLatencies', () => {
  it('is what adding one by one is', () => {
    fc.assert(
      fc.property(fc.array(latency), fc.array(latency), (some, others) => {
        const merged = histogramOf(some);
        mergeLatencies(merged, histogramOf(others));
        expect(merged).toEqual(histogramOf([...some, ...others]));
      }),
    );
  });

  it('leaves nothing of what was taken back', () => {
    const histogram = histogramOf([7, 9]);
    addLatency(histogram, 7, -1);
    addLatency(histogram, 9, -1);
    expect(histogram).toEqual({});
    const other = histogramOf([7]);
    mergeLatencies(other, { [bucketOf(7)]: -1 });
    expect(other).toEqual({});
  });
});

describe('summarizeLatencies', () => {
  it('tells each percentile within one bucket of the one of the samples', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 1 }), (samples) => {
        const summary = summarizeLatencies(histogramOf(samples));
        const sorted = samples.toSorted((one, other) => one - other);
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
          ['max', 1],
        ] as const) {
          const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
          const told = summary?.[name] ?? 0;
          expect(told).toBeGreaterThanOrEqual(exact);
          // One bucket, and what rounding to whole milliseconds adds.
          expect(told).toBeLessThanOrEqual(Math.max(exact * 1.15 + 1, 1));
        }
      }),
    );
  });

  it('says nothing of nothing', () => {
    expect(summarizeLatencies({})).toBeUndefined();
    expect(summarizeLatencies({ 5: -1 })).toBeUndefined();
  });
});

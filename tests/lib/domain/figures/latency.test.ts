import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addLatency,
  latencyValues,
  mergeLatencies,
  newLatencies,
} from '../../../../lib/domain/figures/latency.ts';

function latenciesOf(times: readonly number[]) {
  const latencies = newLatencies();
  for (const ms of times) addLatency(latencies, ms);
  return latencies;
}

const percentile = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? 0;

describe('latencyValues', () => {
  it('gives nothing for nothing, and each of few within 5 %', () => {
    expect(latencyValues(newLatencies())).toEqual([]);
    const values = latencyValues(latenciesOf([0, 100, 1_000]));
    expect(values).toHaveLength(3);
    expect(values[0]).toBe(0);
    expect(Math.abs((values[1] ?? 0) - 100)).toBeLessThanOrEqual(5);
    expect(values[2]).toBe(1_000);
  });

  it('keeps the percentiles of any number of times, and the longest exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 3_000 }),
        (times) => {
          const values = latencyValues(latenciesOf(times));
          expect(values).toHaveLength(Math.min(100, times.length));
          expect(Math.max(...values)).toBe(Math.max(...times));
          if (times.length > 100) return;
          const exact = percentile(times, 0.5);
          expect(Math.abs(percentile(values, 0.5) - exact)).toBeLessThanOrEqual(exact * 0.051 + 1);
        },
      ),
    );
  });

  it('is right about p95 of thousands', () => {
    const times = Array.from({ length: 20_000 }, (_, index) => index + 1);
    const p95 = percentile(latencyValues(latenciesOf(times)), 0.95);
    expect(Math.abs(p95 - 19_000) / 19_000).toBeLessThan(0.06);
  });

  it('takes clocks that differ, and no time at all', () => {
    expect(latencyValues(latenciesOf([-5, Number.NaN]))).toEqual([0]);
  });

  it('is the same for two halves put together', () => {
    const whole = latenciesOf([1, 20, 300, 4_000]);
    const half = latenciesOf([1, 4_000]);
    mergeLatencies(half, latenciesOf([20, 300]));
    expect(latencyValues(half)).toEqual(latencyValues(whole));
  });
});

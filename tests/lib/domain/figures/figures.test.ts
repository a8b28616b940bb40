import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addFigures,
  addSending,
  COUNT_NAMES,
  type Figures,
  isEmpty,
  minuteOf,
  newFigures,
  newLatencies,
  startOfMinuteMs,
  sumOf,
  totalsOf,
  UNKNOWN_TIME,
} from '../../../../lib/domain/figures/figures.ts';
import { summarizeLatencies } from '../../../../lib/domain/figures/latency-histogram.ts';

const count = fc.integer({ min: 0, max: 1_000 });
const codes = fc.dictionary(
  fc.constantFrom('TOPIC_ILLEGAL', 'BODY_TOO_LARGE'),
  fc.integer({ min: -5, max: 50 }),
);
const histogram = fc.dictionary(fc.constantFrom('3', '40'), fc.integer({ min: 1, max: 9 }));
const figures: fc.Arbitrary<Figures> = fc.record({
  counts: fc.record(Object.fromEntries(COUNT_NAMES.map((name) => [name, count]))) as fc.Arbitrary<
    Figures['counts']
  >,
  failed: codes,
  latencies: fc.record({
    sync: histogram,
    source: histogram,
    queue: histogram,
    function: histogram,
    target: histogram,
  }),
  sourceMinutes: fc.dictionary(fc.constantFrom('1', '2'), fc.integer({ min: 1, max: 9 })),
  errors: fc.constant([]),
}) as fc.Arbitrary<Figures>;

describe('totalsOf', () => {
  it('keeps the identity, whatever was counted', () => {
    fc.assert(
      fc.property(figures, (some) => {
        const { totals, countedTwice } = totalsOf(some);
        const { replicated, failed, filtered, loopSkipped, deduplicated, expired, inFlight } = totals;
        expect(totals.consumed).toBe(
          replicated + failed + filtered + loopSkipped + deduplicated + expired + inFlight,
        );
        expect(inFlight).toBeGreaterThanOrEqual(0);
        expect(countedTwice).toBeGreaterThanOrEqual(0);
        expect(totals.consumed - countedTwice).toBe(some.counts.consumed - some.counts.takenBack);
      }),
    );
  });

  it('tells what has no outcome yet, and what has one too many', () => {
    const open = newFigures();
    open.counts.consumed = 10;
    open.counts.replicated = 6;
    open.failed = { TOPIC_ILLEGAL: 1 };
    expect(totalsOf(open)).toMatchObject({
      totals: { consumed: 10, failed: 1, inFlight: 3 },
      countedTwice: 0,
    });
    open.counts.replicated = 12;
    expect(totalsOf(open)).toMatchObject({ totals: { consumed: 13, inFlight: 0 }, countedTwice: 3 });
  });

  it('counts a redrive neither as consumed nor as failed any more', () => {
    const sum = newFigures();
    sum.counts.consumed = 1;
    sum.failed = { TOPIC_ILLEGAL: 1 };
    const redrive = newFigures();
    redrive.counts.redriven = 1;
    redrive.counts.replicated = 1;
    redrive.failed = { TOPIC_ILLEGAL: -1 };
    addFigures(sum, redrive);
    expect(totalsOf(sum)).toMatchObject({
      totals: { consumed: 1, replicated: 1, failed: 0, redriven: 1, inFlight: 0 },
      countedTwice: 0,
    });
    expect(sum.failed).toEqual({});
  });
});

describe('addFigures', () => {
  it('is the same in any order', () => {
    fc.assert(
      fc.property(figures, figures, figures, (one, two, three) => {
        const forth = newFigures();
        for (const some of [one, two, three]) addFigures(forth, some);
        const back = newFigures();
        for (const some of [three, one, two]) addFigures(back, some);
        const withoutZeros = (some: Figures) => ({
          ...some,
          failed: Object.fromEntries(Object.entries(some.failed).filter(([, value]) => value !== 0)),
        });
        expect(withoutZeros(back)).toEqual(withoutZeros(forth));
        expect(sumOf(forth.failed)).toBe(sumOf(one.failed) + sumOf(two.failed) + sumOf(three.failed));
      }),
    );
  });

  it('leaves what was empty empty', () => {
    const sum = newFigures();
    addFigures(sum, newFigures());
    expect(isEmpty(sum)).toBe(true);
    sum.latencies.sync[4] = 1;
    expect(isEmpty(sum)).toBe(false);
    const counted = newFigures();
    counted.counts.retried = 1;
    expect(isEmpty(counted)).toBe(false);
  });
});

describe('minuteOf', () => {
  it('is the minute that the time lies in', () => {
    const minute = minuteOf(Date.UTC(2026, 10, 23, 12, 5, 59, 999));
    expect(startOfMinuteMs(minute)).toBe(Date.UTC(2026, 10, 23, 12, 5));
  });
});

describe('addSending', () => {
  const T = Date.UTC(2026, 10, 23);

  it('splits the way into its parts', () => {
    const latencies = newLatencies();
    addSending(latencies, T, T + 100, T + 1_100, T + 1_105, T + 1_155);
    const of = (stage: keyof typeof latencies) => summarizeLatencies(latencies[stage])?.max ?? 0;
    expect(of('sync')).toBeGreaterThanOrEqual(1_155);
    expect(of('sync')).toBeLessThan(1_155 * 1.15 + 1);
    for (const [stage, ms] of [
      ['source', 100],
      ['queue', 1_000],
      ['function', 5],
      ['target', 50],
    ] as const) {
      expect(of(stage)).toBeGreaterThanOrEqual(ms);
      expect(of(stage)).toBeLessThanOrEqual(ms * 2.02 + 1);
    }
    addSending(latencies, T, T + 100, T + 1_100, T + 1_105, T + 1_155, -1);
    expect(latencies).toEqual(newLatencies());
  });

  it('begins where the message is first known', () => {
    const latencies = newLatencies();
    addSending(latencies, UNKNOWN_TIME, UNKNOWN_TIME, T, T, T + 40);
    expect(summarizeLatencies(latencies.sync)?.max).toBeLessThan(47);
    expect([latencies.source, latencies.queue]).toEqual([{}, {}]);
    addSending(latencies, UNKNOWN_TIME, T - 5_000, T, T, T + 40);
    expect(summarizeLatencies(latencies.sync)?.max).toBeGreaterThanOrEqual(5_040);
    expect(latencies.source).toEqual({});
  });

  it('takes clocks that differ for no time at all', () => {
    const latencies = newLatencies();
    addSending(latencies, T + 9_000, UNKNOWN_TIME, T, T + 1, T + 2);
    expect(latencies.sync).toEqual({ 0: 1 });
    expect(latencies.source).toEqual({ 0: 1 });
  });
});

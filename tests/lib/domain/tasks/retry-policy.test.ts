import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import {
  checkRetryOption,
  countTry,
  newTally,
  policyWaitSeconds,
  RetriesExhaustedError,
  RetryOption,
  type RetryPolicy,
  retryPolicyOf,
  triesOf,
} from '../../../../lib/domain/tasks/retry-policy.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const MINUTE_MS = 60_000;

const custom = fc
  .record({
    maxTries: fc.integer({ min: 1, max: 400 }),
    waits: fc.tuple(fc.integer({ min: 1, max: 3_600 }), fc.integer({ min: 1, max: 3_600 })),
    maxAgeSeconds: fc.option(fc.integer({ min: 1, max: 1_209_600 }), { nil: undefined }),
  })
  .map(({ maxTries, waits, maxAgeSeconds }) => ({
    preset: 'custom' as const,
    maxTries,
    firstWaitSeconds: Math.min(...waits),
    longestWaitSeconds: Math.max(...waits),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  }));
const options = fc.oneof(
  fc.constantFrom({ preset: 'backoff' as const }, { preset: 'exponential' as const }),
  custom,
);
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function policyOf(option: RetryOption): RetryPolicy {
  const policy = retryPolicyOf(option);
  if (policy === undefined) throw new TypeError(`${option.preset} has no policy`);
  return policy;
}

/** Fails until it is given up; each try comes as late as `lateMs` says. Answers the last decision and all waits. */
function failUntilGivenUp(policy: RetryPolicy, lateMs: (tries: number) => number, random = () => 0.5) {
  let tally = newTally(NOW_MS);
  let nowMs = NOW_MS + policyWaitSeconds(policy, 1, random) * 1_000;
  const waits: number[] = [];
  for (let tries = 1; tries <= 1_000; tries += 1) {
    const decision = countTry(policy, tally, nowMs, random);
    if (decision.kind === 'give-up') return { tally: decision.tally, waits, nowMs };
    tally = decision.tally;
    waits.push(decision.waitMs);
    nowMs += decision.waitMs + lateMs(tries);
  }
  throw new Error('never given up');
}

describe('retryPolicyOf', () => {
  it('bounds nothing by default, and nothing of a task that knows no such option', () => {
    expect(retryPolicyOf({ preset: 'unlimited' })).toBeUndefined();
    expect(retryPolicyOf(undefined)).toBeUndefined();
  });

  it('tries three times, 10 to 20 s apart: backoff', () => {
    const policy = policyOf({ preset: 'backoff' });
    expect(failUntilGivenUp(policy, () => 0).tally.tries).toBe(3);
    expect([0, 0.5, 0.999].map((by) => policyWaitSeconds(policy, 1, () => by))).toEqual([10, 15, 20]);
  });

  it('tries 176 times within a day, 1 s doubling to 512 s: exponential', () => {
    const { tally, waits } = failUntilGivenUp(policyOf({ preset: 'exponential' }), () => 0);
    expect(tally.tries).toBe(176);
    expect(tally.ageMs).toBeLessThanOrEqual(86_400_000);
    expect(waits.slice(0, 10).map((ms) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  });
});

describe('policyWaitSeconds', () => {
  it('is a whole number between the first and the longest wait, and never less than the wait before', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 1_000 }), chance, (option, tries, by) => {
        const policy = policyOf(option);
        const wait = policyWaitSeconds(policy, tries, () => by);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(policy.firstWaitSeconds);
        expect(wait).toBeLessThanOrEqual(policy.longestWaitSeconds);
        if (!policy.isByChance)
          expect(policyWaitSeconds(policy, tries + 1, () => by)).toBeGreaterThanOrEqual(wait);
      }),
    );
  });
});

describe('countTry', () => {
  it('gives up at the last try or at the age, whichever is first, and never before', () => {
    fc.assert(
      fc.property(options, chance, (option, by) => {
        const policy = policyOf(option);
        const { tally, waits, nowMs } = failUntilGivenUp(
          policy,
          () => 0,
          () => by,
        );
        expect(waits).toHaveLength(tally.tries - 1);
        // On time, its age is the time that has passed.
        expect(tally.ageMs).toBe(nowMs - NOW_MS);
        const isTooOld = tally.ageMs >= policy.maxAgeSeconds * 1_000;
        expect(tally.tries === policy.maxTries || isTooOld).toBe(true);
        const ageBefore = tally.ageMs - (waits.at(-1) ?? policyWaitSeconds(policy, 1, () => by) * 1_000);
        expect(ageBefore).toBeLessThan(policy.maxAgeSeconds * 1_000);
      }),
      { numRuns: 50 },
    );
  });

  it('counts of an outage a minute at most, however long it is, and no try', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 0, max: 14 * 86_400_000 }), (option, outageMs) => {
        const policy = { ...policyOf(option), maxAgeSeconds: Number.POSITIVE_INFINITY };
        const onTime = failUntilGivenUp(policy, () => 0).tally;
        const late = failUntilGivenUp(policy, (tries) => (tries === 1 ? outageMs : 0)).tally;
        expect(late.tries).toBe(onTime.tries);
        // By chance a wait may have been shorter than it could be.
        const spreadMs = policy.isByChance ? 10_000 : 0;
        expect(late.ageMs - onTime.ageMs).toBeLessThanOrEqual(MINUTE_MS + spreadMs);
      }),
      { numRuns: 50 },
    );
  });

  it('counts no age backwards', () => {
    const policy = policyOf({ preset: 'exponential' });
    const { tally } = countTry(policy, newTally(NOW_MS), NOW_MS - 5_000, () => 0);
    expect(tally).toEqual({ tries: 1, ageMs: 0, firstAtMs: NOW_MS, lastAtMs: NOW_MS - 5_000 });
  });
});

describe('RetryOption', () => {
  it.each([
    ['no preset', {}],
    ['an unknown preset', { preset: 'forever' }],
    ['members of another preset', { preset: 'backoff', maxTries: 3 }],
    ['a custom one without waits', { preset: 'custom', maxTries: 3 }],
    ['no try', { preset: 'custom', maxTries: 0, firstWaitSeconds: 1, longestWaitSeconds: 1 }],
    [
      'more tries than a queue has receives to spare',
      { preset: 'custom', maxTries: 401, firstWaitSeconds: 1, longestWaitSeconds: 1 },
    ],
    [
      'waits beyond an hour',
      { preset: 'custom', maxTries: 3, firstWaitSeconds: 1, longestWaitSeconds: 3_601 },
    ],
  ])('refuses %s', (_what, option) => {
    expect(RetryOption.safeParse(option).success).toBe(false);
  });

  it('takes every custom one within its bounds, and no longest wait below the first', () => {
    fc.assert(
      fc.property(custom, (option) => {
        expect(RetryOption.safeParse(option).success).toBe(true);
        expect(checkRetryOption(option)).toEqual([]);
        const { firstWaitSeconds, longestWaitSeconds } = option;
        const swapped = {
          ...option,
          firstWaitSeconds: longestWaitSeconds,
          longestWaitSeconds: firstWaitSeconds,
        };
        const fields = checkRetryOption(swapped).map(({ field, code }) => `${field}: ${code}`);
        const expected = ['options.retry.longestWaitSeconds: RETRY_WAITS_INVALID'];
        expect(fields).toEqual(firstWaitSeconds === longestWaitSeconds ? [] : expected);
      }),
    );
  });
});

describe('RetriesExhaustedError', () => {
  it('keeps the code of the last failure and tells how often and how long', () => {
    const last = new BrokerUnavailableError('internal server error', { code: 'TARGET_ERROR' });
    const error = new RetriesExhaustedError(last, { ...newTally(NOW_MS), tries: 3, ageMs: 45_400 });
    expect(error).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      reaction: 'dead-letter',
      scope: 'message',
      cause: last,
    });
    expect(error.message).toMatch(/3 more tries in 45 s .* TARGET_ERROR: internal server error/);
    expect(triesOf(error)).toEqual({ tries: 3, lastCode: 'TARGET_ERROR' });
    expect(triesOf(last)).toEqual({});
  });
});

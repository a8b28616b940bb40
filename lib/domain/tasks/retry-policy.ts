import { z } from 'zod';
import { BridgeError, type FieldError } from '../errors/errors.ts';

/** So much later than planned a try may come and still be counted with all of its wait. */
const SLACK_SECONDS = 60;
const MAX_WAIT_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** How long a message that fails by itself is tried again: `options.retry` of a task. */
export const RetryOption = z
  .discriminatedUnion('preset', [
    z.strictObject({ preset: z.literal('unlimited') }),
    z.strictObject({ preset: z.literal('backoff') }),
    z.strictObject({ preset: z.literal('exponential') }),
    z.strictObject({
      preset: z.literal('custom'),
      maxTries: z.int().min(1).max(400).meta({ description: 'Tries after the one that failed first' }),
      firstWaitSeconds: z.int().min(1).max(MAX_WAIT_SECONDS),
      longestWaitSeconds: z.int().min(1).max(MAX_WAIT_SECONDS).meta({
        description: 'The wait doubles from try to try up to this; not less than firstWaitSeconds',
      }),
      maxAgeSeconds: z.int().min(1).max(1_209_600).optional().meta({
        description: 'Given up after so long, without the time in which the target was away',
      }),
    }),
  ])
  .meta({
    description:
      'When a message that fails while its target takes others becomes a dead letter. unlimited: not for its tries (pull path: after 16). backoff: after 3 tries, 10 to 20 s apart. exponential: after 176 tries, 1 s apart doubling to 512 s, or a day. custom: as you say. An outage counts for nothing.',
  });
export type RetryOption = z.infer<typeof RetryOption>;

/** When a message is given up. Absent altogether: never for its tries. */
export interface RetryPolicy {
  /** Tries after the failure that was seen first. */
  maxTries: number;
  firstWaitSeconds: number;
  longestWaitSeconds: number;
  /** Each wait is chosen by chance between the first and the longest; else it doubles. */
  isByChance: boolean;
  maxAgeSeconds: number;
}

/** What is known of a message that fails while its target takes others. */
export interface RetryTally {
  /** Tries that have counted: the target has taken another message since the failure before. */
  tries: number;
  /** Between those tries, without outages. */
  ageMs: number;
  /** Epoch ms of the first failure, and of the last one that counted. */
  firstAtMs: number;
  lastAtMs: number;
}

export type RetryDecision = { tally: RetryTally } & ({ kind: 'again'; waitMs: number } | { kind: 'give-up' });

const BACKOFF: RetryPolicy = {
  maxTries: 3,
  firstWaitSeconds: 10,
  longestWaitSeconds: 20,
  isByChance: true,
  maxAgeSeconds: Number.POSITIVE_INFINITY,
};
const EXPONENTIAL: RetryPolicy = {
  maxTries: 176,
  firstWaitSeconds: 1,
  longestWaitSeconds: 512,
  isByChance: false,
  maxAgeSeconds: DAY_SECONDS,
};

/** The policy of an option; undefined: messages are not given up for their tries. */
export function retryPolicyOf(option: RetryOption | undefined): RetryPolicy | undefined {
  switch (option?.preset) {
    case 'backoff':
      return BACKOFF;
    case 'exponential':
      return EXPONENTIAL;
    case 'custom': {
      const { preset: _, maxAgeSeconds = Number.POSITIVE_INFINITY, ...own } = option;
      return { ...own, maxAgeSeconds, isByChance: false };
    }
    default:
      // A task of an earlier version has no such option.
      return undefined;
  }
}

/**
 * How long to wait for the next try, in whole seconds.
 *
 * @param tries - that have counted so far, from 1
 * @param random - uniform in [0, 1)
 */
export function policyWaitSeconds(policy: RetryPolicy, tries: number, random: () => number): number {
  const { firstWaitSeconds: first, longestWaitSeconds: longest } = policy;
  if (policy.isByChance) return first + Math.floor(random() * (longest - first + 1));
  return Math.min(longest, first * 2 ** Math.min(tries - 1, 30));
}

/** The record of a message whose first failure was then. */
export function newTally(firstAtMs: number): RetryTally {
  return { tries: 0, ageMs: 0, firstAtMs, lastAtMs: firstAtMs };
}

/**
 * Counts a failed try, and decides whether there is another. Of the time since the last one only what was to be waited counts
 * as age, and a minute of delay: in whatever is beyond the message could not be tried, as while its target was away.
 */
export function countTry(
  policy: RetryPolicy,
  { tries: before, ageMs: ageBefore, firstAtMs, lastAtMs }: RetryTally,
  nowMs: number,
  random: () => number,
): RetryDecision {
  const longestMs = (longestWaitSeconds(policy, before) + SLACK_SECONDS) * 1_000;
  const ageMs = ageBefore + Math.min(longestMs, Math.max(0, nowMs - lastAtMs));
  const tally = { tries: before + 1, ageMs, firstAtMs, lastAtMs: nowMs };
  if (tally.tries >= policy.maxTries || ageMs >= policy.maxAgeSeconds * 1_000)
    return { kind: 'give-up', tally };
  return { kind: 'again', tally, waitMs: policyWaitSeconds(policy, tally.tries, random) * 1_000 };
}

function longestWaitSeconds(policy: RetryPolicy, tries: number): number {
  return policy.isByChance
    ? policy.longestWaitSeconds
    : policyWaitSeconds(policy, Math.max(1, tries), () => 0);
}

/** What one field alone cannot say about the option. */
export function checkRetryOption(option: RetryOption | undefined): FieldError[] {
  if (option?.preset !== 'custom' || option.longestWaitSeconds >= option.firstWaitSeconds) return [];
  const message = `must be at least firstWaitSeconds, ${option.firstWaitSeconds}`;
  return [{ field: 'options.retry.longestWaitSeconds', code: 'RETRY_WAITS_INVALID', message }];
}

/** The tries of `options.retry` are used up. `cause` is the last failure. */
export class RetriesExhaustedError extends BridgeError {
  readonly tries: number;
  readonly lastCode: string;

  constructor(last: BridgeError, { tries, ageMs }: RetryTally) {
    const seconds = Math.round(ageMs / 1_000);
    super(
      `given up after ${tries} more tries in ${seconds} s while the target took others, the last with ${last.code}: ${last.message}`,
      { code: 'RETRIES_EXHAUSTED', reaction: 'dead-letter', scope: 'message', cause: last },
    );
    this.tries = tries;
    this.lastCode = last.code;
  }
}

/** What a dead letter tells of the tries that led to it. */
export function triesOf(error: BridgeError): { tries?: number; lastCode?: string } {
  return error instanceof RetriesExhaustedError ? { tries: error.tries, lastCode: error.lastCode } : {};
}

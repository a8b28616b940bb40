import { MAX_RECEIVE_COUNT, RETENTION_SECONDS } from '../domain/tasks/resource-specs.ts';

/** In-function retries: first wait, and the longest. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** So long after its first receipt a record comes back quickly: most outages are short. */
const QUICK_PHASE_MS = 5 * 60_000;
const QUICK_SECONDS = { from: 1, to: 5 };
/** In order: a group comes again when the last of its records does, which of ten would nearly always be 5 s. */
const QUICK_ORDERED_SECONDS = { from: 1, to: 2 };
const SLOW_SECONDS = { from: 30, to: 60 };

/**
 * A record received so often has been waiting for hours. Were it to come each minute, SQS would give it up after half a
 * day: from here on what is left of its receives is spread over what is left of its time.
 */
const SPARING_RECEIVES = MAX_RECEIVE_COUNT / 2;

/** Longest visibility timeout that SQS takes. */
const LONGEST_VISIBILITY_SECONDS = 43_200;

/** Uniform in [0, 1). */
export type Random = () => number;

/**
 * How long to wait before the next attempt inside the function, in milliseconds: exponential, the upper half of each
 * step by chance (so that sandboxes that failed together do not come back together), never less than a throttling
 * target asked for.
 *
 * @param attempt - attempts made so far, from 1
 */
export function retryWaitMs(attempt: number, askedWaitMs: number, random: Random = Math.random): number {
  const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.max(askedWaitMs, Math.ceil(step / 2 + (random() * step) / 2));
}

/**
 * After how many seconds a record that is given back should come again: 1 to 5 while it was first received less than
 * 5 minutes ago (1 to 2 from a FIFO queue), 30 to 60 later, never less than a throttling target asked for. After 500
 * receives so rarely that SQS drops it for its age before it gives it up: no outage, however long, makes a dead letter. A
 * whole number, as SQS takes it.
 */
export function visibilityTimeoutSeconds(
  record: { sentTimeMs: number; firstReceiveTimeMs: number; receiveCount: number; groupKey?: string },
  nowMs: number,
  askedWaitMs: number,
  random: Random = Math.random,
): number {
  const isQuick = nowMs - record.firstReceiveTimeMs < QUICK_PHASE_MS;
  const quick = record.groupKey === undefined ? QUICK_SECONDS : QUICK_ORDERED_SECONDS;
  const { from, to } = isQuick ? quick : SLOW_SECONDS;
  const spread = from + Math.floor(random() * (to - from + 1));
  const wanted = Math.max(spread, Math.ceil(askedWaitMs / 1000), sparingSeconds(record, nowMs));
  return Math.min(LONGEST_VISIBILITY_SECONDS, wanted);
}

/** The same for a record that is to come after just so long; one received 500 times is spared all the same. */
export function exactTimeoutSeconds(
  record: { sentTimeMs: number; receiveCount: number },
  nowMs: number,
  waitMs: number,
): number {
  const wanted = Math.max(Math.ceil(waitMs / 1_000), sparingSeconds(record, nowMs));
  return Math.min(LONGEST_VISIBILITY_SECONDS, wanted);
}

function sparingSeconds(record: { sentTimeMs: number; receiveCount: number }, nowMs: number): number {
  if (record.receiveCount < SPARING_RECEIVES) return 0;
  const leftMs = Math.max(0, record.sentTimeMs + RETENTION_SECONDS * 1_000 - nowMs);
  return Math.ceil(leftMs / 1_000 / Math.max(1, MAX_RECEIVE_COUNT - record.receiveCount));
}

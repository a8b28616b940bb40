import type { Fault } from './fault.ts';
import type { PairName, PairPath } from './pairs.ts';
import { type FaultRow, seconds } from './row.ts';

const MINUTE_MS = 60_000;
const DEGRADED_MS = 5_000;
/** Session and pull path. */
const RECOVERY_MS = 5_000;
/** Longer than any pause of a stream that nothing stops. */
export const STOPPED_MS = 2_000;
/** Of those that have nothing to do with what is away. */
const UNTOUCHED_MS = 5_000;
/** Of a task that does not run when all is back. */
export const NOT_RUNNING = 'not running in the end';
/** Statuses are looked at each 500 ms, arrivals as they come. */
const LOOK_MS = 1_000;

/** How late the first message may arrive after a part was away for so long. */
export function recoveryBarMs(
  { recoversMs }: Pick<Fault, 'recoversMs'>,
  path: PairPath,
  awayMs: number,
): number {
  if (recoversMs !== undefined) return recoversMs;
  if (path !== 'rule') return RECOVERY_MS;
  if (awayMs < 5 * MINUTE_MS) return 10_000;
  return awayMs <= 10 * MINUTE_MS ? MINUTE_MS : 2 * MINUTE_MS;
}

/** What has been seen of one pair, beside its row. */
export interface SeenOfPair {
  name: PairName;
  path: PairPath;
  /** The longest time without an arrival, from the fault's beginning to the first one after its end. */
  stalledMs: number;
  /** The same, to the last arrival of all. */
  stoodStillMs: number;
  recoveredMs: number | undefined;
  /** The longest time without an arrival in which the task said `running`, after it had said that it was degraded. */
  runningInVainMs: number;
  /** The task runs again. */
  isHealed: boolean;
}

/** Promises that were missed, in words. */
export function missedPromises(fault: Fault, row: Omit<FaultRow, 'missed'>, seen: SeenOfPair): string[] {
  return [
    ...missedByCount(fault, row, seen),
    ...missedRecovery(fault, row, seen),
    ...missedStatus(fault, row, seen),
    ...missedProof(fault, row, seen),
  ];
}

/** That something went wrong at all, and only where it was meant to. */
function missedProof(
  { degrades, holdsUp = degrades, stops = degrades, sourceMayLose = [] }: Fault,
  { degradedMs, lostByBroker }: Omit<FaultRow, 'missed'>,
  { name, stalledMs, stoodStillMs }: SeenOfPair,
): string[] {
  const isUntouched = !degrades.includes(name) && !holdsUp.includes(name);
  return [
    ...(stops.includes(name) && stoodStillMs < STOPPED_MS ? ['never stood still: nothing was tried'] : []),
    ...(isUntouched && degradedMs !== undefined ? ['degraded, though nothing of its own was away'] : []),
    ...(isUntouched && stalledMs > UNTOUCHED_MS
      ? [`stood still for ${seconds(stalledMs)}, though nothing of its own was away`]
      : []),
    ...(lostByBroker > 0 && !sourceMayLose.includes(name)
      ? [`${lostByBroker} did not even reach the control reader`]
      : []),
  ];
}

function missedByCount(
  { repeats = [], messages }: Fault,
  row: Omit<FaultRow, 'missed'>,
  { name }: SeenOfPair,
): string[] {
  const isShort = messages !== undefined && row.sent !== messages;
  return [
    ...(isShort ? [`${row.sent} sent, not ${messages}`] : []),
    ...(row.lost > 0 ? [`${row.lost} lost`] : []),
    ...(row.changed > 0 ? [`${row.changed} changed`] : []),
    ...(row.isOrdered && row.outOfOrder > 0 ? [`${row.outOfOrder} groups out of order`] : []),
    ...(row.deadLetters > 0 ? [`${row.deadLetters} dead letters`] : []),
    ...(row.givenUp > 0 ? [`${row.givenUp} in %DLQ%`] : []),
    ...(repeats.includes(name) && row.duplicates === 0 ? ['nothing came twice: nothing was tried'] : []),
  ];
}

function missedRecovery(
  { returnsMs = {} }: Fault,
  { recoveryBarMs: bar, inHandMs = 0 }: Omit<FaultRow, 'missed'>,
  { path, recoveredMs }: SeenOfPair,
): string[] {
  if (recoveredMs === undefined) return ['never recovered'];
  const inHandBar = returnsMs[path] ?? Number.POSITIVE_INFINITY;
  return [
    ...(recoveredMs > bar ? [`recovered after ${seconds(recoveredMs)}, not ${seconds(bar)}`] : []),
    ...(inHandMs > inHandBar
      ? [`what was in hand came after ${seconds(inHandMs)}, not ${seconds(inHandBar)}`]
      : []),
  ];
}

function missedStatus(
  { degrades, degradesMs = DEGRADED_MS }: Fault,
  { degradedMs }: Omit<FaultRow, 'missed'>,
  { name, stalledMs, runningInVainMs, isHealed }: SeenOfPair,
): string[] {
  // Who works again before then has nothing to say.
  const isExpected = degrades.includes(name) && stalledMs > degradesMs;
  const isLate = isExpected && (degradedMs ?? Number.POSITIVE_INFINITY) > degradesMs;
  const how = degradedMs === undefined ? 'never degraded' : `degraded after ${seconds(degradedMs)}`;
  return [
    ...(isLate ? [`${how}, not ${seconds(degradesMs)}`] : []),
    ...(degrades.includes(name) && runningInVainMs > degradesMs + LOOK_MS
      ? [`“running” for ${seconds(runningInVainMs)} with nothing arriving`]
      : []),
    ...(isHealed ? [] : [NOT_RUNNING]),
  ];
}

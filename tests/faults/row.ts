import { type NumberedMessage, sha256 } from '../helpers/numbered-messages.ts';
import type { Arrivals } from '../trials/streams.ts';
import type { Pair } from './pairs.ts';
import type { Said } from './status-watch.ts';

/** What became of one pair in one fault. */
export interface FaultRow {
  fault: string;
  pair: string;
  perSecond: number;
  sent: number;
  delivered: number;
  /** The source gave it to the control reader, and it never arrived. */
  lost: number;
  /** Accepted by the source's broker, and not even the control reader got it. */
  lostByBroker: number;
  duplicates: number;
  /** Message groups whose first arrivals are out of order. */
  outOfOrder: number;
  isOrdered: boolean;
  changed: number;
  /** From when nothing arrived any more to `degraded`; absent: it was never said. */
  degradedMs?: number;
  /** From the part's being back to the first arrival after it; absent: messages never stopped. */
  recoveredMs?: number;
  /** How late that may be. */
  recoveryBarMs: number;
  /** When the last of what was in hand had arrived, since the part was back; absent: it is not asked for. */
  inHandMs?: number;
  /** When the last one had arrived, since the part was back. */
  allThereMs: number;
  said: string;
  /** Of the task. */
  deadLetters: number;
  /** Messages that RocketMQ itself has given up (`%DLQ%`). */
  givenUp: number;
  /** Promises that were missed, in words. */
  missed: string[];
}

/** Where a pair stands before a fault. */
export interface Mark {
  sent: number;
  controlDuplicates: number;
  duplicates: number;
  reconnects: Reconnects;
}

/** How often a reader of the suite had to connect again: a broker may lose something of its session by that. */
export interface Reconnects {
  control: number;
  target: number;
}

/** What of a pair the comparison needs. */
export type Compared = Pick<Pair, 'source' | 'control' | 'arrivals'>;

export function markOf({ source, control, arrivals }: Compared): Mark {
  return {
    sent: source.sent.length,
    controlDuplicates: control.witness.duplicates,
    duplicates: arrivals.witness.duplicates,
    reconnects: reconnectsOf({ control, arrivals }),
  };
}

function reconnectsOf({ control, arrivals }: Pick<Compared, 'control' | 'arrivals'>): Reconnects {
  return { control: control.reconnects(), target: arrivals.reconnects() };
}

/** What readers of the suite went through since then, in words; nothing: nothing. */
export function describeReconnects(pair: Pick<Compared, 'control' | 'arrivals'>, mark: Mark): string[] {
  const { control, target } = reconnectsOf(pair);
  const times = { control: control - mark.reconnects.control, target: target - mark.reconnects.target };
  return [
    ...(times.control > 0 ? [`control reader connected again ${times.control} ×`] : []),
    ...(times.target > 0 ? [`target's reader connected again ${times.target} ×`] : []),
  ];
}

/** Compares what was sent since then with what the control reader and the target got. */
export function compareSince({ source, control, arrivals }: Compared, mark: Omit<Mark, 'reconnects'>) {
  const sent = source.sent.slice(mark.sent);
  const arrived = sent.filter(({ number }) => arrivals.witness.hashes.has(number));
  const missing = sent.filter(({ number }) => !arrivals.witness.hashes.has(number));
  const lost = missing.filter(({ number }) => control.witness.hashes.has(number));
  const first = sent[0]?.number ?? 0;
  return {
    sent: sent.length,
    delivered: arrived.length,
    lost: lost.length,
    lostByBroker: missing.length - lost.length,
    changed: arrived.filter((message) => isChanged(message, arrivals)).length,
    // What the source itself gave twice is not of our doing.
    duplicates: Math.max(
      0,
      arrivals.witness.duplicates - mark.duplicates - (control.witness.duplicates - mark.controlDuplicates),
    ),
    outOfOrder: disorderedSince(arrivals, first),
  };
}

function isChanged({ number, payload }: NumberedMessage, { witness }: Arrivals): boolean {
  return witness.hashes.get(number) !== sha256(payload);
}

function disorderedSince({ witness }: Arrivals, first: number): number {
  const isDisordered = (numbers: readonly number[]) =>
    numbers.some((number, index) => number < (numbers[index - 1] ?? -1));
  return [...witness.order.values()].filter((numbers) =>
    isDisordered(numbers.filter((number) => number >= first)),
  ).length;
}

/** When the last of these messages arrived for the first time, in ms since then; 0: all of them had arrived before. */
export function lastArrivalMs(
  { witness, times }: Pick<Arrivals, 'witness' | 'times'>,
  messages: readonly NumberedMessage[],
  sinceMs: number,
): number {
  const wanted = new Set(messages.map(({ number }) => number));
  // Both are in the order of first arrivals.
  const found = [...witness.hashes.keys()].map((number, index) =>
    wanted.has(number) ? (times[index] ?? sinceMs) - sinceMs : 0,
  );
  return found.reduce((most, ms) => Math.max(most, ms), 0);
}

/** The longest time without an arrival between these two, and when it ended. */
export function standstill(
  times: readonly number[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): { lastedMs: number; endedAtMs: number } {
  const inside = times.filter((atMs) => atMs > fromMs && atMs < toMs).toSorted((one, other) => one - other);
  let longest = { lastedMs: 0, endedAtMs: fromMs };
  let beforeMs = fromMs;
  for (const atMs of [...inside, Math.max(fromMs, toMs)]) {
    if (atMs - beforeMs > longest.lastedMs) longest = { lastedMs: atMs - beforeMs, endedAtMs: atMs };
    beforeMs = atMs;
  }
  return longest;
}

/** From the moment at which nothing arrived any more to the first `degraded`, in ms; undefined: none since the fault began. */
export function degradedAfterMs(
  said: readonly Said[],
  times: readonly number[],
  beganMs: number,
): number | undefined {
  const degraded = said.find(({ status, atMs }) => status === 'degraded' && atMs > beganMs);
  if (degraded === undefined) return undefined;
  const before = times.filter((atMs) => atMs > beganMs && atMs <= degraded.atMs);
  return degraded.atMs - before.reduce((last, atMs) => Math.max(last, atMs), beganMs);
}

/**
 * The longest time without an arrival within those in which `running` was said again after the first `degraded` since the fault began,
 * in ms. What goes wrong once more meanwhile has its own time from then on.
 */
export function runningInVainMs(
  said: readonly Said[],
  arrivals: Pick<Arrivals, 'longestGap'>,
  { beganMs, untilMs, againAtMs = [] }: { beganMs: number; untilMs: number; againAtMs?: readonly number[] },
): number {
  const first = said.findIndex(({ status, atMs }) => status === 'degraded' && atMs > beganMs);
  if (first < 0) return 0;
  return said.slice(first).reduce((most, { status, atMs }, index, later) => {
    if (status !== 'running' || atMs >= untilMs) return most;
    const endMs = Math.min(later[index + 1]?.atMs ?? untilMs, untilMs);
    const parts = [atMs, ...againAtMs.filter((again) => again > atMs && again < endMs), endMs];
    return parts
      .slice(1)
      .reduce(
        (longest, toMs, part) => Math.max(longest, arrivals.longestGap(parts[part] ?? atMs, toMs)),
        most,
      );
  }, 0);
}

/** `running; 1.3 s TARGET_UNREACHABLE; 31.0 s running`. */
export function describeSaid(said: readonly Said[], beganMs: number): string {
  return said
    .map(({ atMs, status, code }) => {
      const word = status === 'degraded' ? (code ?? status) : status;
      return atMs <= beganMs ? word : `${seconds(atMs - beganMs)} ${word}`;
    })
    .join('; ');
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

import { minuteOf } from './figures.ts';

/** A minute is compared when it ended so long ago: figures, receipts and CloudWatch are late by minutes. */
const CLOSED_AFTER_MINUTES = 5;
/** So many minutes are compared: a fault shows for as long, and what a crash distorted is forgotten after it. */
const COMPARED_MINUTES = 10;

/**
 * Who tells how many messages there were, beside the figures themselves.
 * - `receipts`: the session's side of each lane, which counts for itself.
 * - `positions`: RocketMQ, by how far it has handed out the topic to the group.
 * - `queue`: SQS, by the messages that were sent to the task's queue.
 * - `none`: nobody; then `balanced` tells the identity alone.
 */
export type WitnessKind = 'receipts' | 'positions' | 'queue' | 'none';

export interface Balance {
  balanced: boolean;
  /** Counted − witnessed, over the minutes compared. */
  difference: number;
  /** The difference that is within what can be under way at the edges of the minutes compared. */
  tolerance: number;
  witness: WitnessKind;
  counted: number;
  witnessed: number;
  /** Minutes since the epoch, both included; absent: there was nothing to compare. */
  minutes?: { from: number; through: number; compared: number };
}

/** First receipts of one minute, as the figures have them. */
export interface CountedMinute {
  minute: number;
  received: number;
}

export interface Window {
  fromMinute: number;
  toMinute: number;
}

/** The minutes that are compared. */
export function balanceWindow(nowMs: number): Window {
  const toMinute = minuteOf(nowMs) - CLOSED_AFTER_MINUTES - 1;
  return { fromMinute: toMinute - COMPARED_MINUTES + 1, toMinute };
}

export function withoutWitness(): Balance {
  return { balanced: true, difference: 0, tolerance: 0, witness: 'none', counted: 0, witnessed: 0 };
}

/** What the lanes' own receipts say of one minute. */
export interface ReceiptMinute {
  minute: number;
  lane: number;
  receipts: number;
  opens: number;
  closes: number;
}

/**
 * To the message: both sides book a receipt on the minute of its own time. Minutes in which a lane was killed are left out, since
 * what it had not told yet went with it.
 *
 * @param receipts - by minute; from some time before the window on, to know how a lane that is opened in it was left
 */
export function balanceByReceipts(
  counted: readonly CountedMinute[],
  receipts: readonly ReceiptMinute[],
  window: Window,
): Balance {
  const unknown = minutesOfCrashes(receipts);
  const told = Map.groupBy(receipts, ({ minute }) => minute);
  // A lane that is gone, and that nobody has opened again: its last minute was never told.
  for (const { minute } of counted) if (!told.has(minute)) unknown.add(minute);
  const isCompared = ({ minute }: { minute: number }) => isIn(minute, window) && !unknown.has(minute);
  const minutes = COMPARED_MINUTES - [...unknown].filter((minute) => isIn(minute, window)).length;
  const sums = {
    counted: sum(counted.filter(isCompared).map(({ received }) => received)),
    witnessed: sum(receipts.filter(isCompared).map((one) => one.receipts)),
  };
  return compared('receipts', sums, 0, { ...window, compared: minutes });
}

/** From the last that a killed lane has told until it was opened again. */
function minutesOfCrashes(receipts: readonly ReceiptMinute[]): Set<number> {
  const unknown = new Set<number>();
  for (const lane of Map.groupBy(receipts, (one) => one.lane).values()) {
    const minutes = lane.toSorted((one, other) => one.minute - other.minute);
    let before: { minute: number; isOpen: boolean } | undefined;
    // A closing that was counted a minute early.
    let early = 0;
    for (const [index, one] of minutes.entries()) {
      const { minute, opens } = one;
      const closes = one.closes - early;
      early = before?.isOpen === true && isHandedOverLate({ ...one, closes }, minutes[index + 1]) ? 1 : 0;
      // Each opening needs the closing of the owner before.
      const wasOpen = before?.isOpen ?? (opens === 0 || closes > 0);
      const isOpen = Number(wasOpen) + opens - closes - early;
      if (isOpen > 1) for (let at = before?.minute ?? minute; at <= minute; at += 1) unknown.add(at);
      before = { minute, isOpen: isOpen > 0 };
    }
  }
  return unknown;
}

/** Who takes a lane over tells of it before the former owner tells of its end, which may then be in the next minute. */
function isHandedOverLate(
  { minute, opens, closes }: ReceiptMinute,
  next: ReceiptMinute | undefined,
): boolean {
  return next?.minute === minute + 1 && opens > closes && next.closes > next.opens;
}

/** What RocketMQ has said of a group as a minute began. */
export interface PositionSample {
  minute: number;
  position: number;
  queues: number;
  /** When its task was last started or edited. */
  since?: string;
}

/** Between the first and last sample of the last unbroken run of them. */
export function balanceByPositions(
  counted: readonly CountedMinute[],
  samples: readonly PositionSample[],
  window: Window,
): Balance {
  const run = lastRun(samples.filter(({ minute }) => isIn(minute, window)));
  const [first, last] = [run.at(0), run.at(-1)];
  if (first === undefined || last === undefined || first === last) {
    return compared('positions', { counted: 0, witnessed: 0 }, 0);
  }
  const between = { fromMinute: first.minute, toMinute: last.minute - 1 };
  const sums = {
    counted: sum(counted.filter(({ minute }) => isIn(minute, between)).map(({ received }) => received)),
    witnessed: last.position - first.position,
  };
  const tolerance = underWayAt(counted, [first.minute, last.minute]);
  return compared('positions', sums, tolerance, {
    ...between,
    compared: between.toMinute - between.fromMinute + 1,
  });
}

/** A pause, another shift, a topic with more queues, a position that was reset: each begins a new run. */
function lastRun(samples: readonly PositionSample[]): PositionSample[] {
  let run: PositionSample[] = [];
  for (const sample of samples.toSorted((one, other) => one.minute - other.minute)) {
    const before = run.at(-1);
    const goesOn =
      before !== undefined &&
      sample.minute - before.minute <= 2 &&
      sample.queues === before.queues &&
      sample.since === before.since &&
      sample.position >= before.position;
    run = goesOn ? [...run, sample] : [sample];
  }
  return run;
}

/**
 * What was sent to the task's queue, by the minute in which the queue got it; the figures count first receipts by the same minute.
 *
 * @param waiting - messages in the queue: what was not received yet explains what is missing
 */
export function balanceByQueue(
  counted: readonly CountedMinute[],
  sent: ReadonlyMap<number, number>,
  window: Window,
  waiting: number,
): Balance {
  const isCompared = (minute: number) => isIn(minute, window);
  const inWindow = counted.filter(({ minute }) => isCompared(minute));
  const sums = {
    counted: sum(inWindow.map(({ received }) => received)),
    witnessed: sum([...sent].filter(([minute]) => isCompared(minute)).map(([, count]) => count)),
  };
  const tolerance = underWayAt(counted, [window.fromMinute, window.toMinute + 1]);
  const balance = compared('queue', sums, tolerance, { ...window, compared: COMPARED_MINUTES });
  const isWaiting = balance.difference < 0 && -balance.difference <= waiting + tolerance;
  return isWaiting ? { ...balance, balanced: true } : balance;
}

function compared(
  witness: WitnessKind,
  { counted, witnessed }: { counted: number; witnessed: number },
  tolerance: number,
  minutes?: Window & { compared: number },
): Balance {
  const difference = counted - witnessed;
  return {
    balanced: Math.abs(difference) <= tolerance,
    difference,
    tolerance,
    witness,
    counted,
    witnessed,
    ...(minutes === undefined
      ? {}
      : { minutes: { from: minutes.fromMinute, through: minutes.toMinute, compared: minutes.compared } }),
  };
}

/** Seconds of traffic at each edge that may be booked on either side of it. */
const EDGE_SECONDS = 5;
const SECONDS_OF_A_MINUTE = 60;

/** What may be under way at the beginning of these minutes: five seconds of the traffic of the minutes beside each. */
function underWayAt(counted: readonly CountedMinute[], edges: readonly number[]): number {
  const besides = edges.map((edge) =>
    Math.max(
      0,
      ...counted
        .filter(({ minute }) => minute === edge - 1 || minute === edge)
        .map(({ received }) => received),
    ),
  );
  return Math.ceil((sum(besides) * EDGE_SECONDS) / SECONDS_OF_A_MINUTE);
}

function isIn(minute: number, { fromMinute, toMinute }: Window): boolean {
  return minute >= fromMinute && minute <= toMinute;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

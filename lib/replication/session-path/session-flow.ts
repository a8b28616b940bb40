import type { BridgeError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionDelivery } from '../../ports/mqtt-session.ts';
import { noAnswer } from '../outcome.ts';
import type { OverflowGroupsWatch } from './overflow-groups-watch.ts';
import type { LaneTally } from './session-counts.ts';
import type { SessionDeadLetters } from './session-dead-letters.ts';
import type { IntakeWays } from './session-intake.ts';
import type { LaneGate, LaneItem } from './session-item.ts';
import type { Line, Lines } from './session-lines.ts';
import type { SessionOverflow } from './session-overflow.ts';
import type { OverflowReport } from './session-overflow-report.ts';
import type { SenderEvents, SessionSender } from './session-sender.ts';
import type { TargetWatch } from './session-target.ts';
import type { WayBack } from './session-way-back.ts';

/** A message that has waited so long goes to the task's queue: brokers lose patience after 5 to 10 s. */
const LONGEST_WAIT_MS = 5_000;
/** A target that was away, and that nobody has needed for so long, is asked by the next message as if it were there. */
const QUIET_MS = 60_000;
/** So long after the last put the overflow counts as over: not every hiccup is worth a change of the mapping. */
const OVER_AFTER_MS = 10_000;

export interface SessionFlowParts {
  lines: Lines;
  target: TargetWatch;
  deadLetters: SessionDeadLetters;
  /** Absent: the task has no queue yet, so everything stays at the source until the target takes it. */
  overflow: SessionOverflow | undefined;
  /** Present: the task's queue is a FIFO queue. */
  groups: OverflowGroupsWatch | undefined;
  /** Present where `groups` is. @param put - moves messages into the task's queue */
  createWayBack?(put: (items: readonly LaneItem[]) => void): WayBack;
  report: OverflowReport;
  gate: LaneGate;
  tally: LaneTally;
  clock: Clock;
  receiveMaximum: number;
  /** Whether it was met before. */
  isAgain(delivery: SessionDelivery): boolean;
  createSender(events: SenderEvents): SessionSender;
  /** The target takes messages (undefined), or why it does not. */
  onTarget(trouble: BridgeError | undefined): void;
  /** The target was away, and nobody has needed it for long: how it does is not known. */
  onQuiet(): void;
  /** Our own code could not map a message. */
  onFault(fault: unknown): void;
}

/** Messages of one lane between the session that took them in and what settles them. */
export interface SessionFlow extends IntakeWays {
  /** To be called about ten times a second while `isActive`. */
  tick(): void;
  isActive(): boolean;
  /** The batching function has settled something after that time: the target accepts. */
  progressed(sinceMs: number): void;
  /** The task's queue has nothing of this message group any more. */
  leftQueue(groupKey: string): void;
  /** Resolves when everything that is under way now has been answered. */
  answered(): Promise<void>;
}

export function createSessionFlow(parts: SessionFlowParts): SessionFlow {
  const { lines, target, deadLetters, overflow, groups, gate, tally, clock } = parts;
  let isScheduled = false;
  let lastArrivalMs = 0;
  let leftAtMs = 0;
  const wayBack = parts.createWayBack?.(moveToQueue);

  const sender = parts.createSender({
    deadLetter: (item, error) => deadLetters.take(item, error),
    retry: (line) => {
      if (mustOverflow(line)) flush(line);
    },
    held: (error) => parts.onTarget(error),
    stored: (wasAway) => {
      parts.onTarget(undefined);
      wayBack?.accepted(clock.now(), true);
      if (wasAway) comeBack();
    },
  });

  const unsettled = () =>
    lines.waiting + sender.sending + (wayBack?.size ?? 0) + (overflow?.pending ?? 0) + deadLetters.pending;

  function mustOverflow({ groupKey }: Line): boolean {
    if (overflow === undefined) return false;
    return target.isAway || groups?.holds(groupKey) === true;
  }

  /** Moves a line to the task's queue. What of its group is under way is waited for: it may have to go before. */
  function flush(line: Line, isTaken?: (item: LaneItem) => boolean): void {
    if (overflow === undefined || (line.isGrouped && line.calls > 0)) return;
    moveToQueue(lines.drain(line, isTaken));
  }

  function moveToQueue(items: readonly LaneItem[]): void {
    for (const item of items) overflow?.take(item);
    schedule();
  }

  /** Work begins when all that has arrived together is there. */
  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(work);
  }

  function work(): void {
    isScheduled = false;
    sender.dispatch();
    overflow?.pump();
  }

  /** Whether a message may ask the target that is away: alone, now and then, and never past others of its group. */
  function mayProbe({ groupKey }: LaneItem, nowMs: number): boolean {
    if (overflow === undefined || groups?.holds(groupKey) === true) return false;
    return lines.waiting === 0 && sender.calls === 0 && target.mayProbe(nowMs);
  }

  function goAway(nowMs: number): void {
    target.leave(nowMs);
    leftAtMs = nowMs;
    parts.onTarget(sender.lastError ?? noAnswer());
    sender.abandon();
    for (const line of [...lines.all()]) flush(line);
    wayBack?.left(nowMs);
  }

  /** Without order nothing has to wait for the queue. */
  function comeBack(): void {
    if (overflow === undefined || groups !== undefined) return;
    for (const item of overflow.reclaim()) {
      if (item.message === undefined) overflow.take(item);
      else lines.push(item);
    }
    schedule();
  }

  function moveOverdue(nowMs: number): void {
    const isOverdue = ({ delivery }: LaneItem) => nowMs - delivery.receivedAtMs >= LONGEST_WAIT_MS;
    for (const line of [...lines.all()]) {
      const [first] = line.items;
      if (first === undefined || !isOverdue(first)) continue;
      // Of a group everything has to follow.
      if (line.isGrouped) flush(line);
      else flush(line, isOverdue);
    }
  }

  function watchTarget(nowMs: number): void {
    sender.abandon(nowMs);
    if (sender.calls === 0 && lines.waiting === 0) target.idle();
    const isFull = unsettled() >= parts.receiveMaximum;
    if (target.isOverdue(nowMs, isFull)) {
      if (overflow !== undefined) goAway(nowMs);
      else parts.onTarget(sender.lastError ?? noAnswer());
    }
    moveOverdue(nowMs);
    if (target.isAway && unsettled() === 0 && nowMs - lastArrivalMs >= QUIET_MS) {
      target.forget();
      parts.onQuiet();
    }
  }

  function isOverflowing(nowMs: number): boolean {
    if (overflow === undefined) return false;
    const { pending, lastPutMs } = overflow;
    // Not by groups that wait for their end: a mark whose record never came would keep it up, and converge from ending that.
    if (target.isAway || pending > 0) return true;
    return lastPutMs !== undefined && nowMs - lastPutMs < OVER_AFTER_MS;
  }

  return {
    skip(delivery, reason) {
      const isCopy = reason === 'overlap';
      countReceipt(delivery, isCopy);
      if (!gate.mayAccept()) return;
      if (!isCopy) tally.counts[reason] += 1;
      delivery.accept();
    },
    deadLetter(item, error) {
      countReceipt(item.delivery);
      deadLetters.take(item, error);
    },
    send(item) {
      countReceipt(item.delivery);
      lastArrivalMs = clock.now();
      // What is ahead of it in its own line goes first.
      if (lines.isIdle(item) && wayBack?.keep(item, lastArrivalMs) === true) return;
      const isProbe = mayProbe(item, lastArrivalMs);
      const line = lines.push(item);
      if (isProbe) {
        target.probed(lastArrivalMs);
        sender.dispatch();
      } else if (mustOverflow(line)) {
        flush(line);
      } else {
        schedule();
      }
    },
    buffer(item, fault) {
      countReceipt(item.delivery);
      if (fault !== undefined) parts.onFault(fault);
      wayBack?.giveUp(item.groupKey);
      moveToQueue([item]);
    },

    tick() {
      const nowMs = clock.now();
      tally.tell(nowMs);
      if (!gate.mayBegin()) return;
      watchTarget(nowMs);
      wayBack?.tick(nowMs);
      groups?.poll(wayBack?.groupKeys);
      deadLetters.pump();
      work();
      parts.report.update(isOverflowing(nowMs), nowMs);
    },
    isActive: () => unsettled() > 0 || target.isAway || (groups?.size ?? 0) > 0 || parts.report.isOverflowing,
    progressed(sinceMs) {
      const nowMs = clock.now();
      if (target.isAway) {
        if (sinceMs < leftAtMs || wayBack?.believes(nowMs) === false) return;
        target.stored(nowMs, sender.calls > 0 || lines.waiting > 0);
        parts.onTarget(undefined);
      }
      // While it is not away nothing is told to `target`: what this lane sends itself has to be answered.
      wayBack?.accepted(nowMs, false);
    },
    leftQueue(groupKey) {
      for (const item of wayBack?.release(groupKey) ?? []) lines.push(item);
      schedule();
    },
    async answered() {
      await Promise.all([
        ...sender.underWay,
        ...(overflow?.underWay ?? []),
        deadLetters.underWay ?? Promise.resolve(),
      ]);
    },
  };

  function countReceipt(delivery: SessionDelivery, isCopy = false): void {
    tally.received(delivery.receivedAtMs, parts.isAgain(delivery) ? 'again' : isCopy ? 'copy' : 'first');
    wayBack?.arrived(clock.now());
  }
}

import type { BridgeError } from '../../domain/errors/errors.ts';
import { countLatency } from '../../domain/figures/counted.ts';
import { UNKNOWN_TIME } from '../../domain/figures/figures.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageProducer } from '../../ports/message-producer.ts';
import type { CompiledTask } from '../compiled-tasks.ts';
import type { FigureMeter } from '../figures/figure-meter.ts';
import type { LastStored } from '../last-stored.ts';
import { isOfTarget, isOnlyUnsent, noAnswer, type Outcome, outcomeInRecovery } from '../outcome.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import { attemptSend } from '../send-attempt.ts';
import { traceStored } from '../trace.ts';
import { itemError } from './item-error.ts';
import type { LaneTally } from './session-counts.ts';
import type { LaneGate, LaneItem } from './session-item.ts';
import type { Line, LinePart, Lines } from './session-lines.ts';
import type { TargetWatch } from './session-target.ts';

/** Calls under way: enough to keep a proxy busy. Calls of groups are small, and as slow as their slowest group. */
const CALLS = 4;
const GROUPED_CALLS = 8;
/**
 * Beside others a call is worth its cost (a request costs RocketMQ as much as a dozen messages in it) when so many wait, or when those under
 * way take so long that nobody knows what has become of them.
 */
const WORTH_A_CALL = 32;
const SLOW_CALL_MS = 20;
/** A target that has not answered by then has its messages taken away: sent again, or put into the task's queue. */
const ANSWER_MS = 2_000;
const PATIENCE_MS = 2_250;
/** While it is away a message asks it: that one holds up the session for so long only, and a late answer counts too. */
const PROBE_ANSWER_MS = 4_500;
const PROBE_PATIENCE_MS = 500;
/** What a person has to repair is asked so often. */
const HOLD_WAIT_MS = 1_000;
/** An attempt that begins so soon after the mapping needs no new time of sending. */
const STAMP_TOLERANCE_MS = 250;

interface Call {
  parts: readonly LinePart[];
  beganMs: number;
  patienceUntilMs: number;
  isAbandoned: boolean;
}

/** What became of a call's messages of one line. */
interface BookedPart {
  stored: number;
  errors: BridgeError[];
  /** In order. */
  again: LaneItem[];
}

export interface SenderEvents {
  deadLetter(item: LaneItem, error: BridgeError): void;
  /** Messages of this line go again. */
  retry(line: Line): void;
  /** A person has to act. */
  held(error: BridgeError): void;
  /** The target took something. @param wasAway - after having been away */
  stored(wasAway: boolean): void;
}

/** Sends what waits in the lines as soon as a call is free, whatever is there: no timer, no smallest batch. */
export interface SessionSender {
  dispatch(): void;
  /** Takes back the messages of calls whose patience is over; without a time, of all. A late answer still counts. */
  abandon(nowMs?: number): void;
  /** Calls under way that were not abandoned. */
  readonly calls: number;
  /** Messages in them. */
  readonly sending: number;
  readonly lastError: BridgeError | undefined;
  readonly underWay: ReadonlySet<Promise<void>>;
}

export function createSessionSender(options: {
  task: { taskId: string };
  lines: Lines;
  target: TargetWatch;
  compiled: CompiledTask;
  /** Order is kept: what was moved to the task's queue stays there, even if it turns out to be stored. */
  isOrdered: boolean;
  clusterId: string;
  lastStored: LastStored;
  producer: () => Promise<MessageProducer>;
  gate: LaneGate;
  tally: LaneTally;
  figures: Pick<FigureMeter, 'accepted' | 'failed'>;
  clock: Clock;
  logger: Logger;
  random: Random;
  events: SenderEvents;
}): SessionSender {
  const { lines, target, compiled, gate, tally, clock, events, random } = options;
  const calls = new Set<Call>();
  const underWay = new Set<Promise<void>>();
  let sending = 0;
  let lastError: BridgeError | undefined;

  const isBusy = () => calls.size > 0 || lines.waiting > 0;

  function mayCall(nowMs: number): boolean {
    if (target.isAway) return calls.size === 0;
    if (compiled.isGrouped) return calls.size < GROUPED_CALLS;
    if (calls.size >= CALLS) return false;
    const quick = [...calls].filter(({ beganMs }) => nowMs - beganMs < SLOW_CALL_MS).length;
    return quick < Math.max(1 + Math.floor(lines.waiting / WORTH_A_CALL), lines.ready);
  }

  /** Drops what has expired or was settled while it waited. */
  function live(parts: readonly LinePart[], nowMs: number): LinePart[] {
    return parts.map(({ line, items }) => ({
      line,
      items: items.filter((item) => {
        if (!item.isSettled && item.expiresAtMs <= nowMs && gate.mayAccept()) {
          settle(item);
          tally.counts.expired += 1;
        }
        return !item.isSettled;
      }),
    }));
  }

  function begin(taken: readonly LinePart[], nowMs: number): void {
    const parts = live(taken, nowMs);
    const items = parts.flatMap((part) => part.items);
    if (items.length === 0) {
      for (const { line } of parts) lines.giveBack(line, []);
      return;
    }
    const [answerMs, patienceMs] = target.isAway
      ? [PROBE_ANSWER_MS, PROBE_PATIENCE_MS]
      : [ANSWER_MS, PATIENCE_MS];
    const call: Call = { parts, beganMs: nowMs, patienceUntilMs: nowMs + patienceMs, isAbandoned: false };
    calls.add(call);
    sending += items.length;
    target.began(nowMs);
    const run = attemptSend({
      rocketmqTopic: parts[0]?.line.rocketmqTopic ?? '',
      count: items.length,
      messages: () => items.map((item) => stamped(item, nowMs)),
      producer: options.producer,
      maySend: () => !call.isAbandoned && gate.mayBegin(),
      answerByMs: nowMs + answerMs,
      clock,
    })
      .then((outcomes) => answered(call, outcomes))
      .catch((error: unknown) => options.logger.error('call of a session lane ended badly', { error }))
      .finally(() => {
        underWay.delete(run);
      });
    underWay.add(run);
  }

  function stamped(item: LaneItem, nowMs: number): RocketmqMessage {
    const { message, source, provenance } = item;
    if (item.isMaybeStored === true)
      return compiled.mapper(source, { ...provenance, sendTimeMs: nowMs, isResent: true });
    if (message !== undefined && nowMs - provenance.sendTimeMs <= STAMP_TOLERANCE_MS) return message;
    return compiled.mapper(source, { ...provenance, sendTimeMs: nowMs });
  }

  function leave(call: Call): void {
    calls.delete(call);
    for (const { items } of call.parts) sending -= items.length;
  }

  function answered(call: Call, outcomes: readonly Outcome[]): void {
    if (call.isAbandoned) {
      late(call, outcomes);
    } else {
      leave(call);
      book(call, outcomes);
    }
    dispatch();
  }

  /** Its messages are elsewhere by now; what is stored need not go again. */
  function late({ parts, beganMs }: Call, outcomes: readonly Outcome[]): void {
    const items = parts.flatMap((part) => part.items);
    if (!outcomes.some(({ kind }) => kind === 'stored')) return;
    for (const [index, outcome] of options.isOrdered ? [] : outcomes.entries()) {
      const item = items[index];
      if (item !== undefined && outcome.kind === 'stored') settleStored(item, outcome.messageId, beganMs);
    }
    tellStored();
  }

  function book({ parts, beganMs }: Call, outcomes: readonly Outcome[]): void {
    let at = 0;
    let stored = 0;
    let failures = 0;
    const retried: Line[] = [];
    for (const { line, items } of parts) {
      const part = bookPart(items, outcomes.slice(at, at + items.length), beganMs);
      at += items.length;
      stored += part.stored;
      failures += part.errors.filter(isOfTarget).length;
      backOff(line, part.errors, part.again.length < items.length);
      tally.counts.retried += part.again.length;
      lines.giveBack(line, part.again);
      if (part.again.length > 0) retried.push(line);
    }
    if (failures > 0) target.failed();
    else if (stored > 0) target.tookAll();
    else target.idle();
    if (stored > 0) tellStored();
    for (const line of retried) events.retry(line);
  }

  function bookPart(items: readonly LaneItem[], outcomes: readonly Outcome[], beganMs: number): BookedPart {
    const part: BookedPart = { stored: 0, errors: [], again: [] };
    for (const [index, item] of items.entries()) {
      const outcome = judged(outcomes[index], item);
      if (outcome.kind === 'stored') {
        part.stored += 1;
        settleStored(item, outcome.messageId, beganMs);
      } else if (outcome.kind === 'dead-letter') {
        events.deadLetter(item, outcome.error);
      } else {
        if (outcome.kind === 'hold') events.held(outcome.error);
        goesAgain(item, outcome.error, part);
      }
    }
    return part;
  }

  function goesAgain(item: LaneItem, error: BridgeError, part: BookedPart): void {
    if (error.maybeStored) item.isMaybeStored = true;
    if (part.errors.length === 0 && !isOnlyUnsent(error)) noteRetried(item, error);
    part.errors.push(error);
    part.again.push(item);
  }

  /** Of what fails together one message is told. */
  function noteRetried(item: LaneItem, error: BridgeError): void {
    const { taskId } = options.task;
    options.figures.failed(itemError(item, error, { taskId, atMs: clock.now(), outcome: 'retried' }));
  }

  /** What the outcome means here: a rendered topic is doubted until the cluster has taken other messages (decision 0004). */
  function judged(outcome: Outcome = { kind: 'retry', error: noAnswer() }, item: LaneItem): Outcome {
    const read = target.isDoubtful ? outcomeInRecovery(outcome) : outcome;
    if (read.kind !== 'hold' || read.error.scope !== 'topic' || compiled.hasFixedTopic) return read;
    const isProven = options.lastStored.isAfter(options.clusterId, item.delivery.receivedAtMs);
    return { kind: isProven ? 'dead-letter' : 'retry', error: read.error };
  }

  function backOff(line: Line, errors: readonly BridgeError[], hasProgress: boolean): void {
    const [first] = errors;
    line.attempts = hasProgress || first === undefined ? 0 : line.attempts + 1;
    if (first === undefined || (hasProgress && errors.every(isOnlyUnsent))) {
      line.notBeforeMs = 0;
      return;
    }
    lastError = first;
    const asked = errors.reduce((longest, { waitMs = 0, reaction }) => {
      return Math.max(longest, reaction === 'hold' ? HOLD_WAIT_MS : waitMs);
    }, 0);
    line.notBeforeMs = clock.now() + retryWaitMs(Math.max(1, line.attempts), asked, random);
  }

  function settle(item: LaneItem): void {
    item.isSettled = true;
    item.delivery.accept();
  }

  function settleStored(item: LaneItem, messageId: string, sentAtMs: number): void {
    if (item.isSettled || !gate.mayAccept()) return;
    settle(item);
    tally.counts.replicated += 1;
    tally.counts.bytes += item.source.payload.length;
    const { receivedAtMs } = item.delivery;
    const acceptedAtMs = clock.now();
    countLatency(tally.counts, receivedAtMs, acceptedAtMs);
    // No PUBLISH says when it was published.
    options.figures.accepted(UNKNOWN_TIME, receivedAtMs, sentAtMs, acceptedAtMs);
    const { topicName } = item.source;
    const mqferryId = item.provenance.messageId;
    traceStored(options.logger, {
      mqferryId,
      topicName,
      rocketmqTopic: item.message?.rocketmqTopic,
      messageId,
      syncLatencyMs: Math.max(0, acceptedAtMs - receivedAtMs),
    });
  }

  function tellStored(): void {
    const nowMs = clock.now();
    options.lastStored.note(options.clusterId, nowMs);
    tally.lastStoredAtMs = nowMs;
    events.stored(target.stored(nowMs, isBusy()));
  }

  function dispatch(): void {
    while (gate.mayBegin()) {
      const nowMs = clock.now();
      if (!mayCall(nowMs)) return;
      const parts = lines.next(nowMs);
      if (parts === undefined) return;
      begin(parts, nowMs);
    }
  }

  return {
    dispatch,
    abandon(nowMs = Number.POSITIVE_INFINITY) {
      for (const call of [...calls]) {
        if (call.patienceUntilMs > nowMs) continue;
        call.isAbandoned = true;
        leave(call);
        target.failed();
        for (const { line, items } of call.parts) {
          backOff(line, [noAnswer()], false);
          tally.counts.retried += items.length;
          for (const item of items) item.isMaybeStored = true;
          lines.giveBack(line, items);
          events.retry(line);
        }
      }
    },
    get calls() {
      return calls.size;
    },
    get sending() {
      return sending;
    },
    get lastError() {
      return lastError;
    },
    underWay,
  };
}

import type { BridgeError } from '../../domain/errors/errors.ts';
import { countLatency } from '../../domain/figures/counted.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';
import type { MqttPublisher } from '../../ports/mqtt-publisher.ts';
import { countCode } from '../figures/batch-counts.ts';
import type { FigureMeter } from '../figures/figure-meter.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import type { RetryVerdict } from '../retry-watch.ts';
import { tracePublished } from '../trace.ts';
import type { PullCounts } from './pull-counts.ts';
import type { KeepDeadLetter } from './pull-dead-letters.ts';
import type { DecidePulled, PullDecision, PullSkipped } from './pull-decide.ts';
import type { JudgePulled } from './pull-judge.ts';
import type { PullReceipts } from './pull-receipts.ts';
import { pulledError } from './pulled-error.ts';
import type { TargetGate } from './target-gate.ts';

/** A message that has left is answered within this: a target that swallows calls is known as away within 5 s. */
const ANSWER_MS = 4_500;
/** One that waits longer for its turn, at a target that takes fewer than are there, is made anew: its expiry has gone on. */
const TURN_MS = 5_000;
/** Neither the target's fault nor the message's. */
const HAD_NO_TURN = 'DEADLINE_PASSED';
/** Whatever a publisher answers, this is no busy loop. */
const NEXT_TURN_MS = 50;
/** So many tries fail, between which the target takes other messages: the fault is the message's own. */
const MAX_TRIES = 16;
/** A message delivered so often before gets few of them: whatever it does, it must not go on doing it. */
const SUSPECT_ATTEMPTS = 10;
const SUSPECT_TRIES = 3;
/** Long before the cluster would move it to a topic of its own (our groups: after 1000). */
const HOPELESS_ATTEMPTS = 500;
/** A refused topic is asked about so many times less often than a target that may be back any moment. */
const REFUSED_PATIENCE = 5;
/** So long after it took something a target counts as well. */
const PROVEN_FOR_MS = 5_000;
const MS_PER_SECOND = 1_000;
/** These tell nothing about the message or its way: it never left, or the target asked for less. */
export const SAYS_NOTHING: ReadonlySet<string> = new Set([HAD_NO_TURN, 'NOT_SENT', 'TARGET_THROTTLED']);

/** What happened to a message. `left`: it could not be settled, and stays at its source. */
export type Settled = 'done' | 'left';

export interface SettlePorts {
  decide: DecidePulled;
  publisher: Pick<MqttPublisher, 'publish'>;
  keepDeadLetter: KeepDeadLetter;
  gate: TargetGate;
  /** Counts the tries of a message that fails by itself; undefined: they are bounded as of every pull (`MAX_TRIES`). */
  judge: JudgePulled | undefined;
  counts: PullCounts;
  figures: Pick<FigureMeter, 'accepted' | 'failed'>;
  receipts: PullReceipts;
  /** The target topic is the same for every message: a refusal of it is the task's trouble, not a message's. */
  hasFixedTopic: boolean;
  /** False: nothing more may be published. */
  mayPublish(message: ReceivedMessage): boolean;
  /** Resolves when one more message may be published. */
  pace(): Promise<void> | undefined;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Aborted when the lane drains: what failed is not tried again. */
  draining: AbortSignal;
  /** Aborted when the lane's time is over: nothing is tried any more. */
  closing: AbortSignal;
}

/** Publishes one message until the target has taken it, or it is a dead letter, or deliberately left out. */
export type SettleMessage = (message: ReceivedMessage) => Promise<Settled>;

export function createSettleMessage(ports: SettlePorts): SettleMessage {
  const { gate, counts, clock, draining, closing, logger, random } = ports;

  /** Tries again until the store has it; bounded by the lane's end. */
  async function kept(message: ReceivedMessage, error: BridgeError, targetTopic?: string): Promise<Settled> {
    for (let tries = 1; !draining.aborted; tries += 1) {
      try {
        await ports.keepDeadLetter(message, error, targetTopic);
        countCode(counts.failed, error.code);
        return 'done';
      } catch (cause) {
        logger.warn('dead letter not stored', { messageId: message.messageId, error: cause });
        await wait(retryWaitMs(tries, 0, random));
      }
    }
    return 'left';
  }

  /** One attempt; undefined: the target has taken the message. */
  async function attempt(
    message: ReceivedMessage,
    outgoing: OutgoingMqttMessage,
    receiptTimeMs: number,
  ): Promise<BridgeError | undefined> {
    const sentAtMs = clock.now();
    const result = await ports.publisher.publish(outgoing, {
      deadlineMs: clock.now() + TURN_MS,
      answerMs: ANSWER_MS,
      maySend: () => ports.mayPublish(message),
    });
    if (result.status === 'failed') return result.error;
    counts.replicated += 1;
    counts.bytes += outgoing.payload.length;
    const acceptedAtMs = clock.now();
    countLatency(counts, message.bornTimeMs, acceptedAtMs);
    ports.figures.accepted(message.bornTimeMs, receiptTimeMs, sentAtMs, acceptedAtMs);
    const { messageId, rocketmqTopic } = message;
    tracePublished(logger, {
      ...{ messageId, rocketmqTopic },
      topicName: outgoing.topicName,
      syncLatencyMs: Math.max(0, acceptedAtMs - message.bornTimeMs),
    });
    gate.accepted();
    return undefined;
  }

  /** Tries until it is settled. Bounded by the lane's end: while the target is away a message waits here. */
  async function carried(
    message: ReceivedMessage,
    receiptTimeMs: number,
    decision: PullDecision,
  ): Promise<Settled> {
    let fault: FaultWatch | undefined;
    let atReceipt: PullDecision | undefined = decision;
    for (let tries = 1; ; tries += 1) {
      const step = await tryOnce(message, receiptTimeMs, atReceipt);
      if (typeof step === 'string') return step;
      atReceipt = unlessTaken(atReceipt, step);
      fault ??= createFaultWatch(message, gate, clock, ports.judge !== undefined);
      const verdict = await judged(message, step, fault);
      if (verdict.kind === 'give-up') return kept(message, verdict.error, topicOf(decision));
      if (!SAYS_NOTHING.has(step.code)) noteRetried(message, step, topicOf(decision));
      if (!ports.mayPublish(message)) return 'left';
      await (verdict.kind === 'again' ? waitAside(verdict.waitMs) : beforeNextTry(step, tries));
      if (draining.aborted) return 'left';
    }
  }

  /** What a try may have brought through is not what it was at its receipt. */
  function unlessTaken(
    atReceipt: PullDecision | undefined,
    { maybeStored }: BridgeError,
  ): PullDecision | undefined {
    return maybeStored ? undefined : atReceipt;
  }

  function noteRetried(message: ReceivedMessage, error: BridgeError, targetTopic: string | undefined): void {
    ports.figures.failed(pulledError(message, error, { atMs: clock.now(), outcome: 'retried', targetTopic }));
  }

  /** Whose fault it was, as far as that is known. Of what is neither the target's wish nor a refusal `options.retry` decides. */
  async function judged(
    message: ReceivedMessage,
    failure: BridgeError,
    fault: FaultWatch,
  ): Promise<{ kind: 'give-up'; error: BridgeError } | Exclude<RetryVerdict, { kind: 'give-up' }>> {
    const isMessages = failure.reaction === 'dead-letter' || fault.isMessages(failure, isOwnTopic(failure));
    if (isMessages) return { kind: 'give-up', error: failure };
    if (ports.judge === undefined || failure.reaction !== 'retry' || SAYS_NOTHING.has(failure.code))
      return { kind: 'uncounted' };
    return ports.judge(message, failure);
  }

  /** The failure is the message's own: the others go on meanwhile, but for those behind it in its order. */
  async function waitAside(ms: number): Promise<void> {
    counts.retried += 1;
    await wait(ms);
  }

  /** What a failure means for the others, and how long this one waits, beside its turn at the gate. */
  async function beforeNextTry(failure: BridgeError, tries: number): Promise<void> {
    if (failure.code === HAD_NO_TURN) return wait(NEXT_TURN_MS);
    counts.retried += 1;
    if (!isOwnTopic(failure)) return gate.close(failure, failure.waitMs);
    // The others go on: one odd topic must not hold up all.
    if (!isProvenWell()) gate.warn(failure);
    await wait(retryWaitMs(tries, 0, random) * REFUSED_PATIENCE);
  }

  /**
   * One try, with the message as it is to be by now: its expiry, in seconds, goes on while it waits.
   *
   * @param atReceipt - absent: an earlier try may have arrived, which the message says
   */
  async function tryOnce(
    message: ReceivedMessage,
    receiptTimeMs: number,
    atReceipt: PullDecision | undefined,
  ): Promise<Settled | BridgeError> {
    // Nothing is awaited that is not to be waited for: this is done for each message.
    const turn = ports.pace();
    if (turn !== undefined) await turn;
    // A lane that drains waits for its turn at a target that takes messages, and not for one that takes none.
    const signal = gate.isOpen ? closing : draining;
    const leave = gate.enterAtOnce(signal) ?? (await gate.enter(signal));
    if (leave === undefined) return 'left';
    try {
      const decision = decisionNow(message, receiptTimeMs, atReceipt);
      if (decision.kind !== 'publish') return await notPublished(message, decision);
      if (!ports.mayPublish(message)) return 'left';
      return (await attempt(message, decision.message, receiptTimeMs)) ?? 'done';
    } finally {
      leave();
    }
  }

  function decisionNow(
    message: ReceivedMessage,
    receiptTimeMs: number,
    atReceipt: PullDecision | undefined,
  ): PullDecision {
    if (atReceipt === undefined) return ports.decide(message, receiptTimeMs, true);
    const hasWaited = clock.now() - receiptTimeMs >= MS_PER_SECOND;
    return hasWaited ? ports.decide(message, receiptTimeMs) : atReceipt;
  }

  /** The target has taken something just now: a refusal of one topic says nothing about the others. */
  function isProvenWell(): boolean {
    return clock.now() - gate.lastAcceptedAtMs < PROVEN_FOR_MS;
  }

  async function notPublished(
    message: ReceivedMessage,
    decision: Exclude<PullDecision, { kind: 'publish' }>,
  ): Promise<Settled> {
    return decision.kind === 'skip' ? skipped(message, decision.reason) : kept(message, decision.error);
  }

  function skipped(message: ReceivedMessage, reason: PullSkipped): Settled {
    counts[reason] += 1;
    if (reason === 'skipped' && message.deliveryAttempt <= 1) counts.consumed -= 1;
    return 'done';
  }

  /** A topic that comes out of the message is the message's own, once the target has proven well. */
  function isOwnTopic({ reaction, scope }: BridgeError): boolean {
    return reaction === 'hold' && scope === 'topic' && !ports.hasFixedTopic;
  }

  /** Ends early, and without an error, when the lane drains. */
  async function wait(ms: number): Promise<void> {
    await clock.sleep(ms, draining).catch(() => undefined);
  }

  return async (message) => {
    if (ports.receipts.isAgain(message)) counts.retried += 1;
    else counts.consumed += 1;
    let settled: Settled = 'left';
    try {
      const receiptTimeMs = clock.now();
      const decision = ports.decide(message, receiptTimeMs);
      // What is never published needs no turn at the target.
      settled = await (decision.kind === 'publish'
        ? carried(message, receiptTimeMs, decision)
        : notPublished(message, decision));
    } catch (error) {
      // A fault of ours must not make dead letters: the message comes again until it is repaired.
      logger.error('message not carried', { messageId: message.messageId, error });
    }
    ports.receipts.settled(message, settled === 'done');
    return settled;
  };
}

interface FaultWatch {
  isMessages(error: BridgeError, isOwnTopic: boolean): boolean;
}

function topicOf(decision: PullDecision): string | undefined {
  return decision.kind === 'publish' ? decision.message.topicName : undefined;
}

/**
 * Tells a fault of the message from one of the target: others go through meanwhile. A refusal of its topic is its own when it
 * is repeated after the target has taken others; any other failure when that has happened often enough.
 */
function createFaultWatch(
  { deliveryAttempt }: ReceivedMessage,
  gate: Pick<TargetGate, 'lastAcceptedAtMs'>,
  clock: Pick<Clock, 'now'>,
  hasPolicy: boolean,
): FaultWatch {
  const maxFailures = maxFailuresOf(deliveryAttempt, hasPolicy);
  let failures = 0;
  let firstRefusalMs = Number.POSITIVE_INFINITY;
  let lastFailureMs = Number.POSITIVE_INFINITY;
  return {
    isMessages(error, isOwnTopic) {
      if (error.reaction === 'throttle' || SAYS_NOTHING.has(error.code)) return false;
      if (isOwnTopic) {
        const isRepeated = gate.lastAcceptedAtMs >= firstRefusalMs;
        firstRefusalMs = Math.min(firstRefusalMs, clock.now());
        return isRepeated;
      }
      if (error.reaction === 'hold') return false;
      if (gate.lastAcceptedAtMs >= lastFailureMs) failures += 1;
      lastFailureMs = clock.now();
      return failures >= maxFailures;
    },
  };
}

function maxFailuresOf(deliveryAttempt: number, hasPolicy: boolean): number {
  if (deliveryAttempt >= HOPELESS_ATTEMPTS) return 1;
  if (hasPolicy) return Number.POSITIVE_INFINITY;
  return deliveryAttempt >= SUSPECT_ATTEMPTS ? SUSPECT_TRIES : MAX_TRIES;
}

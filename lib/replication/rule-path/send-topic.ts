import type { BridgeError } from '../../domain/errors/errors.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageProducer } from '../../ports/message-producer.ts';
import { isOfTarget, isOnlyUnsent, type Outcome, outcomeInRecovery } from '../outcome.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import { attemptSend } from '../send-attempt.ts';
import { traceStored } from '../trace.ts';
import type { BatchHealth } from './batch-health.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { BatchRetries } from './batch-retries.ts';
import type { HandOver, Unhelpable } from './hand-over.ts';
import { recordError } from './record-error.ts';
import { judgeRetries, type Retry } from './send-retries.ts';
import type { SourceRecord } from './source-record.ts';

/** No retry is begun with less than this left of the function's time. */
const RETRY_RESERVE_MS = 10_000;
/** Of the function's time, what must be left when a send has answered: for hand-over, visibility and status. */
const SEND_RESERVE_MS = 5_000;
/** One attempt may take so long: a target that swallows calls is told as away within 5 s, the saying included. */
const ATTEMPT_MS = 4_000;
/** Bound of the attempts beside those in which a group loses its first message: more than any function has time for. */
const MAX_ATTEMPTS = 1_000;

/** An attempt that begins so soon after the mapping needs no new time of sending. */
const STAMP_TOLERANCE_MS = 250;

/** A message ready to go, and the record it came from. */
export interface Outgoing {
  record: SourceRecord;
  /** As mapped at `mappedAtMs`. */
  message: RocketmqMessage;
  mappedAtMs: number;
  /** The same message with a later time of sending. @param isResent - whether an earlier sending may have arrived */
  remap(sendTimeMs: number, isResent?: boolean): RocketmqMessage;
  /** A sending of it was not answered. */
  isMaybeStored?: boolean;
  /** Payload bytes. */
  bytes: number;
  /** Epoch ms at the source; absent: how long it took says nothing. */
  sourceTimeMs?: number;
  /** Epoch ms since when it was to be sent; absent: since its record's first receipt. */
  dueAtMs?: number;
  /** `mqferry_id`, and the MQTT topic it came by. */
  mqferryId: string;
  topicName: string;
}

/** Refused because of its topic. */
export type Doubted = Unhelpable & Pick<Outgoing, 'dueAtMs'>;

export interface SendTopicOptions {
  producer: () => Promise<MessageProducer>;
  ledger: BatchLedger;
  handOver: HandOver;
  health: BatchHealth;
  /** Takes what was refused because of its topic; absent: such messages are held, as for the cluster's sake. */
  doubtTopic?: (doubted: Doubted) => void;
  /** Counts what messages fail by themselves; absent: they are tried again as time allows. */
  retries?: BatchRetries;
  deadlineMs: number;
  /** Attempts for each message; absent: as time allows. */
  maxAttempts?: number;
  clock: Clock;
  logger: Logger;
  random: Random;
}

/**
 * Sends the messages of one topic until each is stored, handed over, held, or out of time; what is left then stays
 * unsettled in the ledger. The order of the messages is kept from attempt to attempt: with it the producer keeps that
 * of each message group.
 */
export async function sendTopic(
  rocketmqTopic: string,
  outgoing: readonly Outgoing[],
  options: SendTopicOptions,
): Promise<void> {
  const { clock, deadlineMs, ledger, maxAttempts = outgoing.length + MAX_ATTEMPTS } = options;
  let rest = outgoing;
  let fruitless = 0;
  let wasAway = false;
  for (let round = 1; rest.length > 0; round += 1) {
    const beganMs = clock.now();
    const answers = await attempt(rocketmqTopic, rest, options);
    const outcomes: Outcome[] = wasAway ? answers.map(outcomeInRecovery) : answers;
    wasAway ||= outcomes.some((outcome) => outcome.kind === 'retry' && isOfTarget(outcome.error));
    const retries = await settle(rocketmqTopic, rest, outcomes, { ...options, beganMs });
    const goesOnAtOnce = retries.length < rest.length && retries.every(({ error }) => isOnlyUnsent(error));
    if (!goesOnAtOnce) fruitless += 1;
    const waitMs = goesOnAtOnce ? 0 : retryWaitMs(fruitless, longestAskedWaitMs(retries), options.random);
    rest = retries.map((retry) => retry.outgoing);
    if (round === maxAttempts || clock.now() + waitMs > deadlineMs - RETRY_RESERVE_MS) return;
    if (waitMs > 0 && rest.length > 0) await clock.sleep(waitMs);
    ledger.counts.retried += rest.length;
  }
}

async function attempt(
  rocketmqTopic: string,
  outgoing: readonly Outgoing[],
  { producer, deadlineMs, clock }: SendTopicOptions,
): Promise<Outcome[]> {
  const beganMs = clock.now();
  return attemptSend({
    rocketmqTopic,
    count: outgoing.length,
    messages: () =>
      outgoing.map((one) => {
        if (one.isMaybeStored === true) return one.remap(beganMs, true);
        return beganMs - one.mappedAtMs <= STAMP_TOLERANCE_MS ? one.message : one.remap(beganMs);
      }),
    producer,
    answerByMs: Math.min(deadlineMs - SEND_RESERVE_MS, beganMs + ATTEMPT_MS),
    clock,
  });
}

/** Books every outcome, tells the target's health, hands over what is beyond help, and answers what may go again now. */
async function settle(
  rocketmqTopic: string,
  outgoing: readonly Outgoing[],
  outcomes: readonly Outcome[],
  options: SendTopicOptions & { beganMs: number },
): Promise<Retry[]> {
  const { handOver, health, doubtTopic } = options;
  const failed: Retry[] = [];
  const unhelpables: Unhelpable[] = [];
  let stored = 0;
  let held: BridgeError | undefined;
  for (const [index, one] of outgoing.entries()) {
    const outcome = outcomes[index];
    if (outcome?.kind === 'stored') {
      stored += 1;
      bookStored(one, rocketmqTopic, outcome.messageId, options);
    } else if (outcome?.kind === 'dead-letter') {
      unhelpables.push({ record: one.record, error: outcome.error, targetTopic: rocketmqTopic });
    } else if (outcome !== undefined) {
      const { kind, error } = outcome;
      noteFailed(one, error, rocketmqTopic, options);
      if (kind === 'retry') failed.push({ outgoing: one, error });
      else if (error.scope === 'topic' && doubtTopic !== undefined)
        doubtTopic({ ...doubtedOf(one), error, targetTopic: rocketmqTopic });
      else held ??= error;
    }
  }
  const { retries, givenUp } = await judgeRetries(rocketmqTopic, failed, {
    ...options,
    sent: outgoing.length,
    stored,
  });
  handOver.begin([...unhelpables, ...givenUp]);
  const away = retries.find(({ error }) => isOfTarget(error))?.error;
  // A target that took part of what it was sent is not away: the next attempt tells.
  if (held !== undefined) health.failing(rocketmqTopic, held);
  else if (away === undefined && stored > 0) health.working(rocketmqTopic);
  else if (away !== undefined && stored === 0) health.failing(rocketmqTopic, away);
  return retries;
}

/** What was never tried has not failed; what was not answered says so when it goes again. */
function noteFailed(
  outgoing: Outgoing,
  error: BridgeError,
  targetTopic: string,
  { ledger, clock }: SendTopicOptions,
): void {
  const { record } = outgoing;
  const { taskId } = ledger.counts;
  if (error.maybeStored) outgoing.isMaybeStored = true;
  ledger.note(record, error.code, error.waitMs);
  if (isOnlyUnsent(error)) return;
  ledger.failed(error.code, 'retried', () =>
    recordError(record, error, { taskId, atMs: clock.now(), outcome: 'retried', targetTopic }),
  );
}

function doubtedOf({ record, dueAtMs }: Outgoing): Pick<Doubted, 'record' | 'dueAtMs'> {
  return dueAtMs === undefined ? { record } : { record, dueAtMs };
}

/** Also joins, for those who look for one message, the MQTT message with what it has become in RocketMQ. */
function bookStored(
  { record, bytes, sourceTimeMs, mappedAtMs, mqferryId, topicName }: Outgoing,
  rocketmqTopic: string,
  messageId: string,
  { ledger, clock, logger, beganMs }: SendTopicOptions & { beganMs: number },
): void {
  const times =
    sourceTimeMs === undefined
      ? undefined
      : { sourceTimeMs, receivedAtMs: mappedAtMs, sentAtMs: beganMs, acceptedAtMs: clock.now() };
  ledger.stored(record, bytes, times);
  traceStored(logger, {
    ...{ mqferryId, topicName, rocketmqTopic, messageId },
    recordId: record.recordId,
    ...(times && { syncLatencyMs: Math.max(0, times.acceptedAtMs - times.sourceTimeMs) }),
  });
}

function longestAskedWaitMs(retries: readonly Retry[]): number {
  return retries.reduce((longest, { error }) => Math.max(longest, error.waitMs ?? 0), 0);
}

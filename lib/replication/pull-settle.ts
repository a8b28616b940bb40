import { BridgeError } from '../domain/errors.ts';
import type { OutgoingMqttMessage } from '../domain/message.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ReceivedMessage } from '../ports/message-consumer.ts';
import type { MqttPublisher } from '../ports/mqtt-publisher.ts';
import { countCode } from './batch-counts.ts';
import type { PullCounts } from './pull-counts.ts';
import type { DecidePulled, PullSkipped } from './pull-decide.ts';
import { type Random, retryWaitMs } from './retry-schedule.ts';
import type { TargetGate } from './target-gate.ts';

/** One publish may take so long: a target that swallows calls is known as away within 5 s. */
const PUBLISH_MS = 4_500;
/** So many tries fail, during each of which the target takes other messages: the fault is the message's own. */
const MAX_TRIES = 16;
/** A message delivered so often before gets few of them: whatever it does, it must not go on doing it. */
const SUSPECT_ATTEMPTS = 10;
const SUSPECT_TRIES = 3;
/** A topic that the target answers about, and refuses for so long, is refused for good, whether it takes others or not. */
const REFUSED_FOR_MS = 60_000;
/** Long before the cluster would move it to a topic of its own (our groups: after 1000). */
const HOPELESS_ATTEMPTS = 500;

/** What happened to a message. `left`: it could not be settled, and stays at its source. */
export type Settled = 'done' | 'left';

export interface SettlePorts {
  decide: DecidePulled;
  publisher: Pick<MqttPublisher, 'publish'>;
  /** Resolves when the dead letter is safe; throws when that is not certain. */
  keepDeadLetter(message: ReceivedMessage, error: BridgeError): Promise<void>;
  gate: TargetGate;
  counts: PullCounts;
  /** The target topic is the same for every message: a refusal of it is the task's trouble, not a message's. */
  hasFixedTopic: boolean;
  /** False: nothing more may be published. */
  mayPublish(message: ReceivedMessage): boolean;
  /** Resolves when one more message may be published. */
  pace(): Promise<void> | undefined;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Aborted when the lane drains: no further try is begun. */
  draining: AbortSignal;
}

/** Publishes one message until the target has taken it, or it is a dead letter, or deliberately left out. */
export type SettleMessage = (message: ReceivedMessage) => Promise<Settled>;

export function createSettleMessage(ports: SettlePorts): SettleMessage {
  const { gate, counts, clock, draining, logger, random } = ports;
  const hasTurn = new Set<ReceivedMessage>();

  /** Tries again until the store has it; bounded by the lane's end. */
  async function kept(message: ReceivedMessage, error: BridgeError): Promise<Settled> {
    for (let tries = 1; !draining.aborted; tries += 1) {
      try {
        await ports.keepDeadLetter(message, error);
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
  async function attempt(outgoing: OutgoingMqttMessage): Promise<BridgeError | undefined> {
    const result = await ports.publisher.publish(outgoing, { deadlineMs: clock.now() + PUBLISH_MS });
    if (result.status === 'failed') return result.error;
    counts.replicated += 1;
    counts.bytes += outgoing.payload.length;
    gate.accepted();
    return undefined;
  }

  /** Tries until it is settled. Bounded by the lane's end: while the target is away a message waits here. */
  async function carried(message: ReceivedMessage): Promise<Settled> {
    const receiptTimeMs = clock.now();
    const fault = createFaultWatch(message, receiptTimeMs);
    for (let tries = 1; ; tries += 1) {
      const step = await tryOnce(message, receiptTimeMs);
      if (typeof step === 'string') return step;
      if (step.reaction === 'dead-letter' || fault.isMessages(step)) return kept(message, step);
      if (!isOwnTopic(step)) gate.close(step);
      counts.retried += 1;
      await waitForTry(message, retryWaitMs(tries, step.waitMs ?? 0, random));
      if (draining.aborted) return 'left';
    }
  }

  /** One try, with the message as it is to be by now: its expiry goes on while it waits. */
  async function tryOnce(message: ReceivedMessage, receiptTimeMs: number): Promise<Settled | BridgeError> {
    try {
      const decision = ports.decide(message, receiptTimeMs);
      if (decision.kind === 'skip') return skipped(message, decision.reason);
      if (decision.kind === 'dead-letter') return await kept(message, decision.error);
      await ports.pace();
      if (!ports.mayPublish(message)) return 'left';
      return (await attempt(decision.message)) ?? 'done';
    } finally {
      if (hasTurn.delete(message)) gate.endTurn();
    }
  }

  /** Tells a fault of the message from one of the target: the target takes others meanwhile. */
  function createFaultWatch({ deliveryAttempt }: ReceivedMessage, receiptTimeMs: number) {
    const maxTries = deliveryAttempt >= SUSPECT_ATTEMPTS ? SUSPECT_TRIES : MAX_TRIES;
    let failures = 0;
    let lastFailureMs = Number.POSITIVE_INFINITY;
    return {
      isMessages(error: BridgeError): boolean {
        if (isOwnTopic(error)) {
          return gate.lastAcceptedAtMs >= receiptTimeMs || clock.now() - receiptTimeMs >= REFUSED_FOR_MS;
        }
        if (gate.lastAcceptedAtMs >= lastFailureMs) failures += 1;
        lastFailureMs = clock.now();
        return failures >= maxTries && error.reaction !== 'hold';
      },
    };
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

  /** One of the messages that wait for the target tries at a time; what was refused for itself waits for itself. */
  async function waitForTry(message: ReceivedMessage, ms: number): Promise<void> {
    if (gate.isOpen) await wait(ms);
    else if (await gate.takeTurn(ms, draining)) hasTurn.add(message);
  }

  /** Ends early, and without an error, when the lane drains. */
  async function wait(ms: number): Promise<void> {
    await clock.sleep(ms, draining).catch(() => undefined);
  }

  return async (message) => {
    if (message.deliveryAttempt > 1) counts.retried += 1;
    else counts.consumed += 1;
    try {
      if (message.deliveryAttempt >= HOPELESS_ATTEMPTS) return await kept(message, tooOften(message));
      return await carried(message);
    } catch (error) {
      // A fault of ours must not make dead letters: the message comes again until it is repaired.
      logger.error('message not carried', { messageId: message.messageId, error });
      return 'left';
    }
  };
}

function tooOften({ deliveryAttempt }: ReceivedMessage): BridgeError {
  return new BridgeError(`the message was delivered ${deliveryAttempt} times and never acknowledged`, {
    code: 'DELIVERED_TOO_OFTEN',
    reaction: 'dead-letter',
    scope: 'message',
  });
}

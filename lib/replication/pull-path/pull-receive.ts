import type { BridgeError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageConsumer, ReceivedMessage } from '../../ports/message-consumer.ts';
import { asBridgeError } from '../outcome.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import { type HeldMessages, RECEIVED_MS } from './held-messages.ts';
import { createHoldLimit } from './hold-limit.ts';
import type { Acknowledger } from './pull-acknowledge.ts';
import type { SettleMessage } from './pull-settle.ts';
import { createReceiveCrew, type ReceiveCrew } from './receive-crew.ts';
import type { TargetGate } from './target-gate.ts';

/** As many as the proxy gives at a time. */
const MAX_MESSAGES = 32;
/** The shortest that proxies take: a lane that drains waits for its receives to end by themselves. */
const AWAIT_MS = 5_000;
/** A receiver goes on while so many of its batches are not settled, if it is quick: see hold-limit.ts. */
const MAX_BATCHES_OF_A_RECEIVER = 4;
/** While the target does not take what it is given, a lane holds so many messages to try with, and receives no more. */
const MAX_TRIAL_MESSAGES = 8;
const TRIAL_EVERY_MS = 5_000;
/** A source that was away is noticed within a second of its return. */
const LONGEST_WAIT_MS = 1_000;
/** An ordered lane holds at most so many batches: each is of queues that are locked until it is acknowledged. */
const MAX_ORDERED_BATCHES = 32;
/** So often a lane looks for brokers that are new. */
const BROKERS_EVERY_MS = 30_000;

export interface ReceivePorts {
  consumer: MessageConsumer;
  held: HeldMessages;
  settle: SettleMessage;
  acknowledger: Acknowledger;
  /** While it holds so much, of bodies, a lane receives no more; what one round of receives brings may go beyond. */
  maxHeldBytes: number;
  gate: TargetGate;
  /** A receive was answered. */
  onReceived(messages: readonly ReceivedMessage[]): void;
  /** A receive failed. */
  onFailed(error: BridgeError): void;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Aborted when the lane drains: no receive is begun any more, and what those under way bring is carried. */
  draining: AbortSignal;
  /**
   * Aborted when receives under way are given up. RocketMQ may still hand them a message, which then comes again after its invisible time
   * only, and locks its queue of a FIFO topic until then.
   */
  abandoning: AbortSignal;
}

/** One receiver at a time receives a message to try with. */
interface Trial {
  isUnderWay: boolean;
}

/**
 * Receives side by side, with as many as the load needs. What is settled is acknowledged at once, and what has to wait (for a target, for proof that a refusal
 * is its own) holds up nobody: the next batch comes while there is room. Resolves when drained.
 */
export async function receiveUnordered(
  ports: ReceivePorts,
  { brokers, receivers }: { brokers: readonly string[]; receivers: number },
): Promise<void> {
  const trial: Trial = { isUnderWay: false };
  const crew = createReceiveCrew(receivers, ports.draining);
  const watching = watchBrokers(ports, brokers, ({ length }) => crew.keep(length > 1 ? receivers : 1));
  const most = receivers * MAX_BATCHES_OF_A_RECEIVER * MAX_MESSAGES;
  const limit = createHoldLimit({ most, clock: ports.clock });
  const room = createRoom(ports, () => limit.messages);
  ports.acknowledger.onAnswered(room.changed);
  // Beside the receivers themselves.
  let underWay = 0;
  let isReceived = false;
  const allSettled = Promise.withResolvers<void>();
  function settled(): void {
    underWay -= 1;
    limit.settled();
    room.changed();
    if (underWay === 0 && isReceived) allSettled.resolve();
  }
  await Promise.all(
    Array.from({ length: receivers }, (_, receiver) =>
      receiving(ports, { trial, room, crew, receiver }, {}, (messages) => {
        for (const message of messages) {
          underWay += 1;
          void settleOne(message, ports, settled);
        }
      }),
    ),
  );
  isReceived = true;
  if (underWay > 0) await allSettled.promise;
  await ports.acknowledger.settled();
  await watching;
}

/** Tells which brokers there are, now and each time it has looked again, until the lane drains. */
async function watchBrokers(
  { consumer, clock, draining, logger }: ReceivePorts,
  known: readonly string[],
  tell: (brokers: readonly string[]) => void,
): Promise<void> {
  tell(known);
  while (!draining.aborted) {
    await clock.sleep(BROKERS_EVERY_MS, draining).catch(() => undefined);
    if (draining.aborted) return;
    await consumer.brokers().then(tell, (error: unknown) => {
      logger.warn('could not look for new brokers', { error });
    });
  }
}

async function settleOne(message: ReceivedMessage, ports: ReceivePorts, then: () => void): Promise<void> {
  if ((await ports.settle(message)) === 'done') ports.acknowledger.add(message);
  else letGo([message], ports);
  then();
}

/** Room for messages under way: beyond the limits nobody receives. */
interface Room {
  changed(): void;
  /** Resolves when there is room, or the lane drains. */
  free(): Promise<void>;
}

function createRoom({ held, draining, maxHeldBytes }: ReceivePorts, maxMessages: () => number): Room {
  let waiting: PromiseWithResolvers<void> | undefined;
  const isFree = () => held.size < maxMessages() && held.bytes < maxHeldBytes;
  draining.addEventListener('abort', () => waiting?.resolve(), { once: true });
  return {
    changed() {
      // With each message: what is free is of interest to who waits.
      if (waiting === undefined || !isFree()) return;
      waiting.resolve();
      waiting = undefined;
    },
    async free() {
      if (isFree() || draining.aborted) return;
      waiting ??= Promise.withResolvers<void>();
      await waiting.promise;
    },
  };
}

/**
 * FIFO: one receive at a time for each broker, also for one that is added later; its queues are worked on side by side, groups
 * within a queue too, and of each queue the contiguous prefix is acknowledged (protocol-design-rule 17): the lock is the
 * queue's, and acknowledging behind a gap would have the rest delivered again.
 */
export async function receiveOrdered(ports: ReceivePorts, firstBrokers: readonly string[]): Promise<void> {
  const { acknowledger } = ports;
  const trial: Trial = { isUnderWay: false };
  const room = createRoom(ports, () => Number.POSITIVE_INFINITY);
  acknowledger.onAnswered(room.changed);
  const receivers = new Map<string, Promise<void>>();
  await watchBrokers(ports, firstBrokers, (brokers) => {
    for (const broker of brokers) {
      if (!receivers.has(broker)) receivers.set(broker, receiveOrderedFrom(ports, trial, room, broker));
    }
  });
  await Promise.all(receivers.values());
}

async function receiveOrderedFrom(
  ports: ReceivePorts,
  trial: Trial,
  room: Room,
  broker: string,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  await receiving(ports, { trial, room }, { broker }, async (messages) => {
    for (const batch of Map.groupBy(messages, ({ queueId }) => queueId).values()) {
      const work = settleQueue(batch, ports).finally(() => {
        underWay.delete(work);
        room.changed();
      });
      underWay.add(work);
    }
    while (underWay.size >= MAX_ORDERED_BATCHES) await Promise.race(underWay);
  });
  await Promise.all(underWay);
}

async function settleQueue(batch: readonly ReceivedMessage[], ports: ReceivePorts): Promise<void> {
  const inOrder = batch.toSorted((one, other) => one.queueOffset - other.queueOffset);
  const done = new Set<ReceivedMessage>();
  const groups = Map.groupBy(inOrder, ({ messageGroup = '' }) => messageGroup);
  await Promise.all(
    [...groups.values()].map(async (group) => {
      for (const message of group) {
        if ((await ports.settle(message)) === 'left') return;
        done.add(message);
      }
    }),
  );
  const gap = inOrder.findIndex((message) => !done.has(message));
  await ports.acknowledger.now(gap === -1 ? inOrder : inOrder.slice(0, gap));
  letGo(inOrder, ports);
}

/** What is left behind comes again after its time. While the lane drains its end hands it back sooner. */
function letGo(messages: readonly ReceivedMessage[], { held, draining }: ReceivePorts): void {
  if (draining.aborted) return;
  for (const message of messages) held.remove(message);
}

/**
 * Receives and hands on until drained. While the target does not take what it is given a few messages are received one by
 * one, to tell its fault from theirs; then nothing more.
 */
async function receiving(
  ports: ReceivePorts,
  { trial, room, crew, receiver = 0 }: { trial: Trial; room: Room; crew?: ReceiveCrew; receiver?: number },
  from: { broker?: string },
  handOn: (messages: readonly ReceivedMessage[]) => Promise<void> | void,
): Promise<void> {
  const { consumer, held, gate, clock, draining, abandoning, random, logger } = ports;
  let failures = 0;

  async function receive(isTrial: boolean): Promise<ReceivedMessage[]> {
    if (isTrial) trial.isUnderWay = true;
    try {
      return await consumer.receive({
        maxMessages: isTrial ? 1 : MAX_MESSAGES,
        invisibleDurationMs: RECEIVED_MS,
        awaitMs: AWAIT_MS,
        signal: abandoning,
        onSilent: ports.onFailed,
        ...from,
      });
    } finally {
      if (isTrial) trial.isUnderWay = false;
    }
  }

  while (!draining.aborted) {
    try {
      await crew?.turn(receiver);
      await room.free();
      await gate.whenOpen(TRIAL_EVERY_MS, draining);
      if (draining.aborted) return;
      const isTrial = !gate.isOpen;
      if (isTrial && (trial.isUnderWay || held.size >= MAX_TRIAL_MESSAGES)) continue;
      const messages = await receive(isTrial);
      failures = 0;
      // One that was cut short at a trial tells nothing of how much there is.
      if (!isTrial) crew?.brought(messages.length);
      held.add(messages);
      ports.onReceived(messages);
      if (messages.length > 0) await handOn(messages);
    } catch (error) {
      if (draining.aborted) return;
      const known = asBridgeError(error);
      if (known !== error) logger.error('receiving failed by a fault', { error });
      ports.onFailed(known);
      failures += 1;
      const waitMs = Math.min(LONGEST_WAIT_MS, retryWaitMs(failures, 0, random));
      await clock.sleep(Math.max(known.waitMs ?? 0, waitMs), draining).catch(() => undefined);
    }
  }
}

import type { BridgeError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterHandOver, DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { Logger } from '../../ports/logger.ts';
import { countCode } from '../figures/batch-counts.ts';
import type { FigureMeter } from '../figures/figure-meter.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import { withTimeout } from '../with-timeout.ts';
import { itemError } from './item-error.ts';
import { overflowBody } from './overflow-record.ts';
import type { LaneTally } from './session-counts.ts';
import type { LaneGate, LaneItem } from './session-item.ts';

/** Entries of one call: 200 KB each at most, in a function's memory. */
const MAX_ENTRIES = 50;
const ANSWER_MS = 10_000;

interface Unhelpable {
  item: LaneItem;
  error: BridgeError;
  failedAtMs: number;
}

/** Dead letters of a lane on their way: a message is accepted when, and only when, the hand-over queue has its entry. */
export interface SessionDeadLetters {
  take(item: LaneItem, error: BridgeError): void;
  /** Sends what waits, unless a call is under way or the last one has just failed. */
  pump(): void;
  /** Waiting or in a call. */
  readonly pending: number;
  /** The call under way. */
  readonly underWay: Promise<void> | undefined;
}

export function createSessionDeadLetters(options: {
  task: { taskId: string; version: number };
  deadLetters: DeadLetterQueue;
  largeBodies: Pick<LargeBodies, 'put'>;
  gate: LaneGate;
  tally: LaneTally;
  figures: Pick<FigureMeter, 'failed'>;
  clock: Clock;
  logger: Logger;
  random: Random;
}): SessionDeadLetters {
  const { task, gate, tally, clock, logger } = options;
  let waiting: Unhelpable[] = [];
  let inCall = 0;
  let underWay: Promise<void> | undefined;
  let failures = 0;
  let notBeforeMs = 0;

  async function entryOf({ item, error, failedAtMs }: Unhelpable): Promise<DeadLetterHandOver> {
    const { messageId } = item.provenance;
    return {
      ...task,
      code: error.code,
      reason: error.message,
      recordId: messageId,
      envelope: await overflowBody(item, { ...task, id: messageId, largeBodies: options.largeBodies }),
      attempts: 1,
      firstSeenAtMs: item.delivery.receivedAtMs,
      failedAtMs,
      ...(item.message === undefined ? {} : { targetTopic: item.message.rocketmqTopic }),
    };
  }

  async function send(batch: readonly Unhelpable[]): Promise<readonly boolean[]> {
    try {
      const entries = await Promise.all(batch.map(entryOf));
      if (!gate.mayBegin()) return [];
      const answers: unknown = await withTimeout(options.deadLetters.send(entries), ANSWER_MS);
      return Array.isArray(answers) && answers.length === entries.length ? answers : [];
    } catch (error) {
      // The messages stay at their source, unacknowledged, and are tried again.
      logger.warn('dead letters not handed over', { taskId: task.taskId, entries: batch.length, error });
      return [];
    }
  }

  async function handOver(): Promise<void> {
    const batch = waiting.splice(0, MAX_ENTRIES);
    inCall = batch.length;
    const answers = await send(batch);
    inCall = 0;
    const refused = batch.filter((_, index) => answers[index] !== true);
    waiting = [...refused, ...waiting];
    failures = refused.length === 0 ? 0 : failures + 1;
    if (failures > 0) notBeforeMs = clock.now() + retryWaitMs(failures, 0, options.random);
    if (!gate.mayAccept()) return;
    for (const [index, { item, error, failedAtMs }] of batch.entries()) {
      if (answers[index] !== true || item.isSettled) continue;
      item.isSettled = true;
      item.delivery.accept();
      countCode(tally.counts.failed, error.code);
      options.figures.failed(
        itemError(item, error, { taskId: task.taskId, atMs: failedAtMs, outcome: 'dead-letter' }),
      );
    }
  }

  function pump(): void {
    if (underWay !== undefined || waiting.length === 0) return;
    if (!gate.mayBegin() || clock.now() < notBeforeMs) return;
    underWay = handOver()
      .catch((error: unknown) => logger.error('dead letters not handed over', { ...task, error }))
      .finally(() => {
        underWay = undefined;
        pump();
      });
  }

  return {
    take(item, error) {
      waiting.push({ item, error, failedAtMs: clock.now() });
      pump();
    },
    pump,
    get pending() {
      return waiting.length + inCall;
    },
    get underWay() {
      return underWay;
    },
  };
}

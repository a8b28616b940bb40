import type { BridgeError } from '../../domain/errors/errors.ts';
import { triesOf } from '../../domain/tasks/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterHandOver, DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';
import type { Logger } from '../../ports/logger.ts';
import { withTimeout } from '../with-timeout.ts';
import type { BatchLedger } from './batch-ledger.ts';
import { recordError } from './record-error.ts';
import type { SourceRecord } from './source-record.ts';

/** Of the function's time, what must be left when the hand-over has answered. */
const RESERVE_MS = 3_000;

/** Code of a record that could not even become a dead letter, and therefore comes again. */
const REFUSED = 'HAND_OVER_FAILED';

export interface Unhelpable {
  record: SourceRecord;
  error: BridgeError;
  /** Where the mapping got so far. */
  targetTopic?: string;
}

/**
 * Dead letters of one batch on their way. A record is settled when, and only when, the queue has accepted its entry.
 */
export interface HandOver {
  /** Sends at once, and does not hold up the caller. */
  begin(unhelpables: readonly Unhelpable[]): void;
  /** Resolves when everything begun has been answered, or its time is over. */
  done(): Promise<void>;
}

export function createHandOver({
  deadLetters,
  ledger,
  task,
  deadlineMs,
  clock,
  logger,
}: {
  deadLetters: DeadLetterQueue;
  ledger: BatchLedger;
  task: { taskId: string; version: number };
  deadlineMs: number;
  clock: Clock;
  logger: Logger;
}): HandOver {
  const underWay: Promise<void>[] = [];

  async function send(unhelpables: readonly Unhelpable[]): Promise<void> {
    const failedAtMs = clock.now();
    for (const { record } of unhelpables) ledger.note(record, REFUSED);
    const entries = unhelpables.map((unhelpable) => entryOf(unhelpable, task, failedAtMs));
    try {
      const answers: unknown = await withTimeout(
        deadLetters.send(entries),
        deadlineMs - RESERVE_MS - failedAtMs,
      );
      if (!Array.isArray(answers) || answers.length !== entries.length) return;
      unhelpables.forEach(({ record, error, targetTopic }, index) => {
        if (answers[index] !== true) return;
        ledger.handedOver(record, error.code);
        const more = { taskId: task.taskId, atMs: failedAtMs, targetTopic };
        ledger.failed(error.code, 'dead-letter', () =>
          recordError(record, error, { ...more, outcome: 'dead-letter' }),
        );
      });
    } catch (error) {
      // The records stay at their source and try again with their next receipt.
      logger.warn('dead letters not handed over', { taskId: task.taskId, entries: entries.length, error });
    }
  }

  return {
    begin(unhelpables) {
      if (unhelpables.length > 0) underWay.push(send(unhelpables));
    },
    async done() {
      await Promise.all(underWay);
    },
  };
}

function entryOf(
  { record, error, targetTopic }: Unhelpable,
  { taskId, version }: { taskId: string; version: number },
  failedAtMs: number,
): DeadLetterHandOver {
  return {
    taskId,
    version,
    code: error.code,
    reason: error.message,
    recordId: record.recordId,
    envelope: record.body,
    attempts: record.receiveCount,
    firstSeenAtMs: record.firstReceiveTimeMs,
    failedAtMs,
    ...(targetTopic === undefined ? {} : { targetTopic }),
    ...triesOf(error),
  };
}

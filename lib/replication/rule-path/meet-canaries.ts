import { isFromMqtt } from '../../domain/tasks/task-path.ts';
import { type Canary, canaryOfEnvelope } from '../../mapping/canary.ts';
import type { CanaryStore } from '../../ports/canary-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageProducer } from '../../ports/message-producer.ts';
import { carryCanary } from '../carry-canary.ts';
import { inTime } from '../with-timeout.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { PreparedBatch } from './prepare-batch.ts';
import type { SourceRecord } from './source-record.ts';

/** A target that swallows calls is known as away within 5 s; the other records of the batch wait no longer for their answer. */
const ANSWER_MS = 4_500;
const TABLE_MS = 2_000;

/** What a batch holds beside canaries, and the canaries on their way. */
export interface MetCanaries {
  rest: readonly SourceRecord[];
  /** Resolves when what became of them is written down, or cannot be. Never rejects. */
  done: Promise<void>;
}

/**
 * Takes the canaries out of a batch: they are in no figure, and never come again. The last one goes on to the target. What
 * others publish under a canary's topic name is a message like any other.
 */
export async function meetCanaries(
  records: readonly SourceRecord[],
  { task }: Pick<PreparedBatch, 'task'>,
  ports: {
    canaries: Pick<CanaryStore, 'get' | 'came'>;
    producer: () => Promise<MessageProducer>;
    ledger: BatchLedger;
    clock: Clock;
    logger: Logger;
  },
): Promise<MetCanaries> {
  const { canaries, ledger, clock, logger } = ports;
  const { taskId, definition } = task;
  const candidates = new Map<SourceRecord, Canary>();
  for (const record of records) {
    const canary = canaryOfEnvelope(record.body, taskId);
    if (canary !== undefined) candidates.set(record, canary);
  }
  if (candidates.size === 0) return { rest: records, done: Promise.resolve() };

  async function carry(sentAtMs: number): Promise<void> {
    if (definition.options.canary === undefined || !isFromMqtt(definition)) return;
    const nowMs = clock.now();
    const failure = await carryCanary({
      taskId,
      definition,
      producer: ports.producer,
      sentAtMs,
      deadlineMs: nowMs + ANSWER_MS,
      nowMs,
    });
    const coming = canaries.came(taskId, { sentAtMs, ...(failure === undefined ? {} : { failure }) });
    await inTime(coming, TABLE_MS);
  }

  function notWritten(error: unknown): void {
    logger.warn('canary not written down', { taskId, error });
  }

  try {
    const known = await inTime(canaries.get(taskId), TABLE_MS);
    const genuine = [...candidates].filter(([, { token }]) => token === known?.token);
    for (const [record] of genuine) ledger.canary(record);
    const met = new Set(genuine.map(([record]) => record));
    const last = Math.max(...genuine.map(([, { sentAtMs }]) => sentAtMs));
    const done = genuine.length === 0 ? Promise.resolve() : carry(last);
    return { rest: records.filter((record) => !met.has(record)), done: done.catch(notWritten) };
  } catch (error) {
    // They come again: whether they are canaries is not known.
    logger.warn('canaries not told from messages', { taskId, error });
    for (const record of candidates.keys()) ledger.note(record, 'TABLE_UNAVAILABLE');
    return { rest: records.filter((record) => !candidates.has(record)), done: Promise.resolve() };
  }
}

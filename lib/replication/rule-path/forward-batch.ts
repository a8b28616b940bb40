import { UNKNOWN_TASK_ID } from '../../domain/dead-letters/dead-letter.ts';
import { type CompileTask, createCompiledTasks } from '../compiled-tasks.ts';
import type { BatchCounts } from '../figures/batch-counts.ts';
import { figuresOfBatch } from '../figures/batch-figures.ts';
import type { ReportCounts } from '../figures/count-report.ts';
import { createLastStored, type LastStored } from '../last-stored.ts';
import { createRetryWatch } from '../retry-watch.ts';
import { taskIdOfQueueArn } from '../task-names.ts';
import { createBatchLedger } from './batch-ledger.ts';
import { createRetriesOfBatches, type RetriesOfBatch } from './batch-retries.ts';
import type { ForwardBatchPorts } from './forward-batch-ports.ts';
import { closeInOrder } from './forward-in-order.ts';
import { forwardTaskBatch } from './forward-task-batch.ts';
import { giveBack } from './give-back.ts';
import { DEBOUNCED } from './observe-devices.ts';
import { oldestAgeMs, type SourceRecord } from './source-record.ts';

export interface BatchResult {
  /** Not acknowledged: these come again. */
  failedRecordIds: string[];
  /** What became of the batch, per task. */
  counts: BatchCounts[];
}

/**
 * Carries one batch of records to RocketMQ.
 *
 * @param options.deadlineMs - epoch milliseconds at which the function is ended by force
 */
export type ForwardBatch = (
  records: readonly SourceRecord[],
  options: { deadlineMs: number },
) => Promise<BatchResult>;

/**
 * Makes the use case of the rule path, and of what sessions have put into their tasks' queues. Fail closed: a record is acknowledged only when RocketMQ has stored its
 * message, the hand-over queue has accepted it as a dead letter, or it was left out on purpose; whatever else
 * happens, it comes again. So a message may arrive twice, and is never lost. Rejects for nothing that a record, the
 * task or the target did.
 */
export function createForwardBatch(ports: ForwardBatchPorts): ForwardBatch {
  const watch = createRetryWatch({ ...ports, tallies: ports.retryTallies });
  const memory = {
    compileTask: createCompiledTasks(),
    lastStored: createLastStored(),
    retriesOf: createRetriesOfBatches(watch, ports),
  };
  return async (records, { deadlineMs }) => {
    const byQueue = Map.groupBy(records, ({ queueArn }) => queueArn);
    const results = await Promise.all(
      [...byQueue].map(([queueArn, own]) => forwardQueue(queueArn, own, deadlineMs, { ...ports, ...memory })),
    );
    return {
      failedRecordIds: results.flatMap((result) => result.failedRecordIds),
      counts: results.map((result) => result.counts),
    };
  };
}

/** The records of one queue, which are those of one task. */
async function forwardQueue(
  queueArn: string,
  records: readonly SourceRecord[],
  deadlineMs: number,
  ports: ForwardBatchPorts & { compileTask: CompileTask; lastStored: LastStored; retriesOf: RetriesOfBatch },
): Promise<{ failedRecordIds: string[]; counts: BatchCounts }> {
  const { clock, logger } = ports;
  const beganMs = clock.now();
  const taskId = taskIdOfQueueArn(queueArn);
  const ledger = createBatchLedger(taskId ?? UNKNOWN_TASK_ID, records);
  ledger.counts.oldestAgeMs = oldestAgeMs(records, beganMs);
  try {
    if (taskId === undefined) throw new Error(`the queue ${queueArn} belongs to no task`);
    await forwardTaskBatch({ taskId, records, ledger, deadlineMs }, ports);
  } catch (error) {
    // What is booked in the ledger stays proven; everything else comes again.
    logger.error('batch ended early', { taskId: ledger.counts.taskId, error });
  }
  if (taskId !== undefined) await closeInOrder(taskId, records, { ...ports, ledger, deadlineMs });
  const givenBack = ledger.close();
  await Promise.all([
    giveBack(queueArn, givenBack, { ...ports, deadlineMs }),
    // Before the queue is answered: what it gives out again would else count as new figures of an old batch.
    taskId && ports.figures.record(taskId, figuresOfBatch(ledger.counts, ledger.times), { deadlineMs }),
  ]);
  ledger.counts.ms = clock.now() - beganMs;
  tell(ledger.counts, ports);
  return { failedRecordIds: givenBack.map(({ record }) => record.recordId), counts: ledger.counts };
}

/** The one line of a batch. */
function tell(counts: BatchCounts, { logger, report = withoutMetrics(logger) }: ForwardBatchPorts): void {
  const { taskId, perTask, records, overlap, canaries, deduplicated, ms } = counts;
  const isWhole = Object.keys(counts.returned).every((code) => code === DEBOUNCED);
  report('batch forwarded', [{ taskId, perTask, counts }], {
    properties: {
      records,
      ms,
      ...(overlap === 0 ? {} : { overlap }),
      ...(canaries === 0 ? {} : { canaries }),
      ...(deduplicated === 0 ? {} : { deduplicated }),
    },
    level: isWhole ? 'info' : 'warn',
  });
}

function withoutMetrics(logger: ForwardBatchPorts['logger']): ReportCounts {
  return (message, tasks, { level = 'info' } = {}) => {
    for (const { counts } of tasks) {
      const { latencies: _, ...fields } = counts;
      logger[level](message, fields);
    }
  };
}

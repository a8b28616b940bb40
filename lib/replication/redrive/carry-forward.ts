import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';
import { createCompiledTasks } from '../compiled-tasks.ts';
import type { LastStored } from '../last-stored.ts';
import { type BatchLedger, createBatchLedger } from '../rule-path/batch-ledger.ts';
import type { ForwardBatchPorts } from '../rule-path/forward-batch-ports.ts';
import { forwardTaskBatch } from '../rule-path/forward-task-batch.ts';
import type { SourceRecord } from '../rule-path/source-record.ts';
import { type LetterCarrier, type LetterOutcome, leftBy } from './letter-outcome.ts';
import { recordOf } from './redriven-record.ts';

export type CarryForwardPorts = Pick<
  ForwardBatchPorts,
  'tasks' | 'clusters' | 'producers' | 'largeBodies' | 'presenceStates' | 'clock' | 'logger' | 'random'
>;

/** To RocketMQ, by the same steps as a batch of the task's queue. */
export function createForwardCarrier(task: Task, ports: CarryForwardPorts): LetterCarrier {
  const compileTask = createCompiledTasks();
  // A task that runs has a target that takes messages: what it refuses is the message's own fault.
  const lastStored: LastStored = { note: () => undefined, isAfter: () => task.status === 'running' };

  return {
    async carry(letters, { deadlineMs }) {
      const records = letters.map(recordOf);
      const { ledger, deadLetters, outcomes } = watch(task.taskId, records);
      const batch = { taskId: task.taskId, records, ledger, deadlineMs };
      await forwardTaskBatch(batch, { ...ports, compileTask, lastStored, deadLetters });
      for (const { record, code } of ledger.close()) {
        outcomes.set(record.recordId, leftBy({ code, message: `not carried: ${code}` }));
      }
      return letters.map(({ deadLetterId }) => outcomes.get(deadLetterId) ?? neverSettled());
    },
    close: async () => undefined,
  };
}

/** A ledger that tells what each record came to, and a hand-over that keeps what it is given. */
function watch(
  taskId: string,
  records: readonly SourceRecord[],
): {
  ledger: BatchLedger;
  deadLetters: DeadLetterQueue;
  outcomes: Map<DeadLetter['deadLetterId'], LetterOutcome>;
} {
  const outcomes = new Map<string, LetterOutcome>();
  const ledger = createBatchLedger(taskId, records);
  return {
    outcomes,
    ledger: {
      ...ledger,
      stored(record, bytes, times) {
        ledger.stored(record, bytes, times);
        outcomes.set(record.recordId, { kind: 'carried' });
      },
      skipped(record, reason) {
        ledger.skipped(record, reason);
        outcomes.set(record.recordId, { kind: 'skipped', reason });
      },
    },
    deadLetters: {
      async send(entries) {
        for (const { recordId, code, reason, targetTopic } of entries) {
          outcomes.set(recordId, { kind: 'failed', code, reason, targetTopic });
        }
        return entries.map(() => true);
      },
    },
  };
}

/** Cannot be, since a ledger answers every record that is not settled: then it stays as it is. */
function neverSettled(): LetterOutcome {
  return leftBy({ code: 'INTERNAL_ERROR', message: 'no outcome was noted' });
}

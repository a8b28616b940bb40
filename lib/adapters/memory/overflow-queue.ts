import type { OverflowQueue, OverflowRecord } from '../../ports/overflow-queue.ts';

export interface MemoryOverflowQueue extends OverflowQueue {
  /** What lies in a queue, in the order of arrival. */
  records(queueUrl: string): readonly OverflowRecord[];
  /** From now on asked for each record; a promise keeps its call waiting. */
  decide(takes: (record: OverflowRecord) => boolean | Promise<boolean>): void;
}

/** Queues in memory, made by their first record; what a FIFO queue has taken once it does not take twice. */
export function createMemoryOverflowQueue(): MemoryOverflowQueue {
  const queues = new Map<string, OverflowRecord[]>();
  const seen = new Set<string>();
  let takes: (record: OverflowRecord) => boolean | Promise<boolean> = () => true;

  return {
    records: (queueUrl) => queues.get(queueUrl) ?? [],
    decide(next) {
      takes = next;
    },
    async put(queueUrl, records, mayBegin = () => true) {
      const queue = queues.get(queueUrl) ?? [];
      queues.set(queueUrl, queue);
      const stopped = new Set<string>();
      const answers: boolean[] = [];
      for (const record of records) {
        const isStopped = record.groupKey !== undefined && stopped.has(record.groupKey);
        const isTaken = !isStopped && mayBegin() && (await takes(record));
        if (!isTaken && record.groupKey !== undefined) stopped.add(record.groupKey);
        const isCopy = record.groupKey !== undefined && seen.has(record.putId);
        if (isTaken && !isCopy) queue.push({ ...record });
        if (isTaken) seen.add(record.putId);
        answers.push(isTaken);
      }
      return answers;
    },
  };
}

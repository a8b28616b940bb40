/** One record of a task's queue, as the queue handed it over this time. */
export interface SourceRecord {
  /** The same at each receipt (SQS message id). */
  recordId: string;
  /** Of this receipt only. */
  receiptHandle: string;
  queueArn: string;
  /** The envelope as text. */
  body: string;
  /** 1 at the first receipt. */
  receiveCount: number;
  /** Epoch milliseconds. */
  sentTimeMs: number;
  firstReceiveTimeMs: number;
  /** FIFO queues: what it stays in order with (SQS message group), and the id it was put under. */
  groupKey?: string;
  putId?: string;
  /** Id of the dead letter that it was, where it is redriven. */
  redriven?: string;
}

/** How long ago the oldest of them was put into the queue; of none 0. */
export function oldestAgeMs(records: readonly Pick<SourceRecord, 'sentTimeMs'>[], nowMs: number): number {
  return records.reduce((oldest, { sentTimeMs }) => Math.max(oldest, nowMs - sentTimeMs), 0);
}

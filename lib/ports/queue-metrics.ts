/** What the cloud's monitoring says of a task's queue, late by minutes. */
export interface QueueMetrics {
  /** Throws when it does not answer. */
  read(
    queueName: string,
    range: { fromMinute: number; toMinute: number },
  ): Promise<{
    /** Messages sent to the queue, by minute since the epoch; a minute without any may be absent. */
    sent: ReadonlyMap<number, number>;
    /** Without messages received three times or more. Absent: it does not say. */
    oldestAgeSeconds?: number;
  }>;
}

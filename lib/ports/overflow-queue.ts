/** One message on its way into the task's own queue. */
export interface OverflowRecord {
  /**
   * A ULID, fresh for each receipt, and the same when a put is tried again. A FIFO queue takes it as deduplication id: what
   * it has taken within the last 5 minutes it takes again without a second copy.
   */
  putId: string;
  /** The envelope as text, or the record that stands for a large one. Nothing in it that SQS refuses. */
  body: string;
  /** FIFO queues: what stays in order, as SQS takes it (`toOverflowGroup`). */
  groupKey?: string;
}

/** The task's own queue as the session path fills it (SQS, standard or FIFO by its URL). */
export interface OverflowQueue {
  /**
   * One boolean for each record, in order: true = the queue has it, and its message may be acknowledged. Never throws for what
   * the queue refused or did not answer. In a FIFO queue the records of a group arrive in their order: after the first
   * that was not taken the later ones of its group are not sent any more, but one that went in the same request may have been
   * taken before it.
   *
   * @param mayBegin - asked right before each request; once it says no, nothing more is sent
   */
  put(queueUrl: string, records: readonly OverflowRecord[], mayBegin?: () => boolean): Promise<boolean[]>;
}

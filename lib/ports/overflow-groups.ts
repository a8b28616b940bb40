/** What is known of one message group that has overflowed. */
export interface OverflowMark {
  groupKey: string;
  /** Put id of the last record that was, or was about to be, put into the queue. */
  lastPutId: string;
  /** Put id of the last record of the group that the batching function has settled; only ever `lastPutId` or older. */
  drainedPutId?: string;
}

/**
 * Which message groups of an ordered task have messages in the task's queue. Exact, unlike the counts of SQS: a group may be
 * sent directly again when the record that was put last is settled, since a FIFO queue gives out a record only when all
 * earlier ones of its group are settled. Strongly consistent; calls throw when their outcome is not certain.
 */
export interface OverflowGroups {
  /** All groups of a task: what a new owner has to know before it sends anything. */
  list(taskId: string): Promise<OverflowMark[]>;
  /**
   * Says what is about to be put, before it is. One boolean for each, in order: false = a later put is known, so somebody else
   * owns the group, or it is not certain that the mark was written; then the record must not be put.
   */
  announce(
    taskId: string,
    puts: readonly { groupKey: string; putId: string }[],
    nowMs: number,
  ): Promise<boolean[]>;
  /**
   * The record of this put is settled, and all before it. Changes nothing where a later one is known to be, or the mark knows
   * of no such put.
   */
  settled(taskId: string, groupKey: string, putId: string): Promise<void>;
  /** Marks of these groups; one that is gone is left out. */
  read(taskId: string, groupKeys: readonly string[]): Promise<OverflowMark[]>;
  /** Ends a group's overflow if this put is its last and is settled; false: it is not. */
  forget(taskId: string, groupKey: string, putId: string): Promise<boolean>;
  /** Ends a group's overflow if this put is its last, settled or not: its record never came, or is gone. */
  abandon(taskId: string, groupKey: string, putId: string): Promise<void>;
}

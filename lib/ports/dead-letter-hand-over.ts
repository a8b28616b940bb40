/** A message that could not be replicated, whole, with its reason: on its way to the dead-letter store. */
export interface DeadLetterHandOver {
  taskId: string;
  /** Definition version whose mapping failed. */
  version: number;
  /** Stable code of the reason. */
  code: string;
  /** The reason in a sentence; never the payload. */
  reason: string;
  /** The source's record, unchanged (rule envelope as text). */
  envelope: string;
  /** How often the source handed it to us. */
  attempts: number;
  firstSeenAtMs: number;
  failedAtMs: number;
}

/** The hand-over queue. When `send` has resolved for an entry, the message is safe and may be acknowledged at its source. */
export interface DeadLetterQueue {
  /** One boolean per entry, in order: true = accepted. Throws nothing for single refusals. */
  send(entries: readonly DeadLetterHandOver[]): Promise<boolean[]>;
}

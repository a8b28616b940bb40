import type { DeadLetterHandOver } from '../domain/dead-letters/dead-letter.ts';

export type { DeadLetterHandOver };

/** The hand-over queue. When `send` has resolved for an entry, the message is safe and may be acknowledged at its source. */
export interface DeadLetterQueue {
  /** One boolean per entry, in order: true = accepted. Throws nothing for single refusals. */
  send(entries: readonly DeadLetterHandOver[]): Promise<boolean[]>;
}

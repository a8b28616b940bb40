import type { DeadLetterHandOver, DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';

export interface MemoryDeadLetterQueue extends DeadLetterQueue {
  /** What was accepted, in order. */
  readonly entries: readonly DeadLetterHandOver[];
}

/** A hand-over queue that keeps what it accepts. `accepts` scripts refusals; it may throw or answer late. */
export function createMemoryDeadLetterQueue(
  accepts: (entry: DeadLetterHandOver) => boolean | Promise<boolean> = () => true,
): MemoryDeadLetterQueue {
  const kept: DeadLetterHandOver[] = [];
  return {
    entries: kept,
    async send(entries) {
      const answers: boolean[] = [];
      for (const entry of entries) {
        const accepted = await accepts(entry);
        if (accepted) kept.push(structuredClone(entry));
        answers.push(accepted);
      }
      return answers;
    },
  };
}

import type { ControlQueue } from '../../ports/control-queue.ts';

/** A control queue that keeps what it was told; `failWith` makes the next wakes fail. */
export interface MemoryControlQueue extends ControlQueue {
  /** Task ids in the order they were woken. */
  readonly woken: string[];
  failWith(error: Error | undefined): void;
}

export function createMemoryControlQueue(): MemoryControlQueue {
  const woken: string[] = [];
  let failure: Error | undefined;
  return {
    woken,
    failWith(error) {
      failure = error;
    },
    async wake(taskId) {
      if (failure !== undefined) throw failure;
      woken.push(taskId);
    },
  };
}

import type { ControlQueue } from '../../ports/control-queue.ts';

/** A control queue that keeps what it was told; `failWith` makes the next wakes fail. */
export interface MemoryControlQueue extends ControlQueue {
  /** Task ids in the order they were woken. */
  readonly woken: string[];
  /** How often it was told to watch shifts. */
  readonly watches: number;
  failWith(error: Error | undefined): void;
}

export function createMemoryControlQueue(): MemoryControlQueue {
  const woken: string[] = [];
  let watches = 0;
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
    async watchShifts() {
      if (failure !== undefined) throw failure;
      watches += 1;
    },
    get watches() {
      return watches;
    },
  };
}

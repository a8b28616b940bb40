/** Has a worker begin with a task's jobs at once, instead of at the next tick. */
export interface JobStarter {
  /** Resolves when the worker is on its way, not when it is done. */
  start(taskId: string): Promise<void>;
}

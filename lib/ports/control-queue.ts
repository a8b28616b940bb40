/** Tells converge that a task's wanted state changed. Ordered and exclusive per task. */
export interface ControlQueue {
  wake(taskId: string): Promise<void>;
  /** Has converge look for shifts that have ended without handing over, again and again until the next tick. */
  watchShifts(): Promise<void>;
}

/** Tells converge that a task's wanted state changed. Ordered and exclusive per task. */
export interface ControlQueue {
  wake(taskId: string): Promise<void>;
}

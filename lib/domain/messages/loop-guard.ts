/** Why a message must not be carried (again): this task has carried it, or too many tasks have. */
export type LoopReason = 'own-task' | 'max-hops';

/**
 * The guard against loops: tells whether a message has come in a circle.
 *
 * @param path ids of the tasks that have carried the message, oldest first, the present one not included.
 * @param maxHops a message that so many tasks have carried is not carried again.
 */
export function loopReason(path: readonly string[], taskId: string, maxHops: number): LoopReason | undefined {
  if (path.includes(taskId)) return 'own-task';
  return path.length >= maxHops ? 'max-hops' : undefined;
}

/**
 * - `answers`: reached, lets us in, and has the topic where that is known.
 * - `away`: one of these is not so.
 * - `unknown`: nobody could be asked.
 */
export type TargetAnswer = 'answers' | 'away' | 'unknown';

/** Asks a task's RocketMQ target, without a message, from where there is a way to it. Never rejects. */
export interface TargetProbe {
  ask(taskId: string): Promise<TargetAnswer>;
}

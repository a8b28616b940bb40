import type { RetryTally } from '../domain/tasks/retry-policy.ts';

/**
 * How often single messages have failed while their target took others. Written only for tasks whose `options.retry` bounds
 * that, and only when a try counts. What is not seen for 15 days is forgotten. Strongly consistent.
 */
export interface RetryTallies {
  get(taskId: string, messageId: string): Promise<RetryTally | undefined>;
  /** Replaces what was known. */
  put(taskId: string, messageId: string, tally: RetryTally): Promise<void>;
}

import type { CanaryFailure, CanaryRecord } from '../domain/tasks/canary.ts';

/** What is known of canaries of the rule path: converge sends them, the batching function meets them. Strongly consistent. */
export interface CanaryStore {
  get(taskId: string): Promise<CanaryRecord | undefined>;
  /** A canary is about to be sent. Answers what is known then: the token is that of the first one. */
  sending(
    taskId: string,
    canary: Pick<CanaryRecord, 'token' | 'sinceMs' | 'sentAtMs'>,
  ): Promise<CanaryRecord>;
  /** A canary came, through or not. One that was sent earlier than the last that came changes nothing. */
  came(taskId: string, canary: { sentAtMs: number; failure?: CanaryFailure }): Promise<void>;
}

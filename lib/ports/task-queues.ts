/** Attributes a task's queue must have. Durations as SQS takes them. */
export interface TaskQueueSpec {
  name: string;
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  /** ARN of the dead-letter hand-over queue, and how many receives only a crash can reach. */
  deadLetterQueueArn: string;
  maxReceiveCount: number;
  /** ARN of the one role of the topic rules, which alone may send. */
  tags: Readonly<Record<string, string>>;
}

/** Counts of SQS are approximate, always. */
export interface QueueBacklog {
  /** Waiting, visible or delayed. */
  waiting: number;
  /** Received and not yet deleted: in hand of a function, or waiting out a back-off. */
  inFlight: number;
}

/**
 * The queues of tasks (SQS). Control plane: used by converge and the clean-up only.
 * Errors: `ControlPlaneError` with `retryable`.
 */
export interface TaskQueues {
  /** Creates, or brings an existing one to the specification (attributes and tags). */
  ensure(spec: TaskQueueSpec): Promise<{ url: string; arn: string }>;
  /** What a queue of this name looks like now; undefined when there is none. */
  describe(
    name: string,
  ): Promise<
    | {
        url: string;
        arn: string;
        attributes: Readonly<Record<string, string>>;
        tags: Readonly<Record<string, string>>;
      }
    | undefined
  >;
  /** Deleting what is gone is no error. */
  delete(url: string): Promise<void>;
  /** Names (last part of the URL) of queues with this prefix. May be stale by seconds. */
  list(namePrefix: string): Promise<string[]>;
}

/** The one right the task API has on queues: to count. */
export interface QueueCounter {
  /** Undefined when the queue does not exist. */
  backlog(queueUrl: string): Promise<QueueBacklog | undefined>;
}

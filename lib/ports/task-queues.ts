import type { TaskQueueSpec } from '../domain/tasks/resource-specs.ts';

export type { TaskQueueSpec };

/** A task's queue as it is. What a queue does not have (a redrive policy) is absent. */
export interface TaskQueue {
  url: string;
  arn: string;
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  deadLetterQueueArn?: string;
  maxReceiveCount?: number;
  isFifo?: true;
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
 * The queues of tasks (SQS). Control plane: used by converge and the clean-up only. Throws `ControlPlaneError`.
 */
export interface TaskQueues {
  /**
   * Creates, or brings an existing one to the specification (attributes and tags); whether it is a FIFO queue is for its
   * life. A name is blocked for 60 s after a deletion: `not-yet`, code `QUEUE_DELETED_RECENTLY`.
   */
  ensure(spec: TaskQueueSpec): Promise<{ url: string; arn: string }>;
  /** What a queue of this name looks like now; undefined when there is none. */
  describe(name: string): Promise<TaskQueue | undefined>;
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

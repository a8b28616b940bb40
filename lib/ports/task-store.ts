import type {
  DesiredState,
  StatusReason,
  Task,
  TaskDefinition,
  TaskDirection,
  TaskResources,
  TaskStatus,
} from '../domain/tasks/task.ts';
import type { NewTaskEvent, TaskEvent } from '../domain/tasks/task-events.ts';
import type { TaskFilter } from '../domain/tasks/task-filter.ts';

export type { NewTaskEvent, TaskEvent, TaskFilter };

export interface NewTask {
  taskId: string;
  definition: TaskDefinition;
  direction: TaskDirection;
  sourceRegion: string;
  desired: Extract<DesiredState, 'running' | 'paused'>;
  /** ISO 8601, UTC: time of the task, of its first revision and of its event. */
  at: string;
  actor?: string;
  /** The registered topic that the task's RocketMQ end names literally: it counts as used by the task. Absent: rendered. */
  rocketmqTopic?: string;
  /** Units of the stack in all; a task wanted running reserves `options.concurrency`, the store refuses what would exceed it. */
  concurrencyLimit: number;
  /** Same key and same hash within 24 h: the first task is answered again; same key, other hash: refused. */
  idempotency?: IdempotencyKey;
}

/** What tells a repeated request from a new one: the caller's key, and a hash of what was asked. */
export interface IdempotencyKey {
  key: string;
  requestHash: string;
}

export interface Page<T> {
  items: T[];
  /** Opaque; absent on the last page. */
  nextCursor?: string;
}

export interface TaskRevision {
  version: number;
  definition: TaskDefinition;
  at: string;
  actor?: string;
}

export interface DesiredChange {
  taskId: string;
  desired: DesiredState;
  /** Refuses when the definition has another version by now. */
  expectedVersion?: number;
  concurrencyLimit: number;
  at: string;
  actor?: string;
  /** A deletion may throw away what waits in the task's queue. */
  discardBacklog?: boolean;
  /** Goes into the event. */
  details?: Record<string, unknown>;
}

/** Held while converge works on one task; `epoch` fences a holder that slept. */
export interface TaskLease {
  taskId: string;
  owner: string;
  epoch: number;
  expiresAtMs: number;
}

/**
 * What converge records: only these attributes; the user's side (definition, desired, version) is never touched by it.
 * Status and reason are recorded only if they fit what is wanted by now (`STATUSES_WHILE`): a status found out before the
 * user changed his mind is dropped, resources and version are kept.
 */
export interface Progress {
  /** Absent: the status stays as it is by now (`running` or `degraded`, which the data plane tells apart). */
  status?: TaskStatus;
  /** null removes the reason. */
  reason?: StatusReason | null;
  resources?: TaskResources;
  observedVersion?: number;
}

/**
 * The table of tasks. Conditional writes throughout; a `RequestError` names what did not hold:
 * `TASK_NOT_FOUND` 404, `TASK_NAME_TAKEN` 409, `VERSION_MISMATCH` 412, `TASK_RUNNING` 409, `TASK_DELETING` 409,
 * `CONCURRENCY_EXHAUSTED` 409 (extension `free`), `IDEMPOTENCY_KEY_REUSED` 409, `CLUSTER_NOT_FOUND` 404, `CLUSTER_CHANGED` 409
 * (its region is no longer `sourceRegion`), `TOPIC_NOT_FOUND` 404, `CURSOR_INVALID` 400, `STORE_BUSY` 503 (nothing was written),
 * `STORE_UNAVAILABLE` 503 (it may have been).
 */
export interface TaskStore {
  /** One transaction: task, unique name, use counts of both clusters, idempotency record, concurrency, first revision, event. */
  create(task: NewTask): Promise<{ task: Task; replayed: boolean }>;
  /** The task that was created with this key; undefined when the key is new. Throws `IDEMPOTENCY_KEY_REUSED`. */
  findReplay(idempotency: IdempotencyKey): Promise<Task | undefined>;
  /** Strongly consistent. */
  get(taskId: string): Promise<Task | undefined>;
  /** Newest first. Filtering reads a bounded number of records: a page may be short, even empty, and yet have a next one. */
  list(filter: TaskFilter, page: { limit: number; cursor?: string }): Promise<Page<Task>>;
  /** New revision and event, if the version is still `expectedVersion` and the task may be edited (`checkEditable`). */
  saveDefinition(edit: {
    taskId: string;
    expectedVersion: number;
    definition: TaskDefinition;
    direction: TaskDirection;
    sourceRegion: string;
    rocketmqTopic?: string;
    at: string;
    actor?: string;
    /** Goes into the event. */
    details?: Record<string, unknown>;
  }): Promise<Task>;
  /**
   * Changes what is wanted, and with it status (`planDesired`), reserved concurrency and the list of events, in one
   * transaction. Asking for what is already wanted changes nothing and answers the task. `deleted` is final.
   */
  setDesired(change: DesiredChange): Promise<Task>;
  /**
   * Takes back a deletion that met a backlog nobody allowed to discard: wanted paused again, status `paused` with the reason.
   * Converge only. Throws `ControlPlaneError` `LEASE_LOST`, also where the deletion was allowed to discard since it was read.
   */
  cancelDeletion(lease: TaskLease, reason: StatusReason): Promise<Task>;
  /** Undefined: held by somebody else, or there is no such task. `owner` must be unique to the invocation. */
  acquireLease(taskId: string, owner: string, durationMs: number): Promise<TaskLease | undefined>;
  renewLease(lease: TaskLease, durationMs: number): Promise<TaskLease | undefined>;
  releaseLease(lease: TaskLease): Promise<void>;
  /** Conditional on the lease; answers the task as it is now, or undefined when the lease is no longer ours. */
  saveProgress(lease: TaskLease, progress: Progress): Promise<Task | undefined>;
  /**
   * Converge, for the mapping of an overflow: makes the task hold so many units of the stack's concurrency instead of those it
   * holds. False: so many are not free, or the task is not wanted running any more; nothing was changed. Throws
   * `ControlPlaneError` `LEASE_LOST`.
   */
  holdUnits(lease: TaskLease, units: number, concurrencyLimit: number): Promise<boolean>;
  /**
   * Data plane: running ⇄ degraded, only while the task is in one of the two. A reason that is not about the target
   * (`StatusReason.about`) is left as it is: who gave it takes it back. Answers whether the task's status or reason changed by it.
   */
  reportHealth(
    taskId: string,
    health: { status: 'running' } | { status: 'degraded'; reason: StatusReason },
  ): Promise<boolean>;
  /**
   * Lanes of the session and pull path, while the task is wanted running: what `reportHealth` says, and also that a starting
   * task runs or cannot, and that it failed. Answers whether the task's status or reason changed by it.
   */
  reportLane(
    taskId: string,
    health: { status: 'running' } | { status: 'degraded' | 'failed'; reason: StatusReason },
  ): Promise<boolean>;
  /**
   * Whether the canary comes through, of a task that is wanted running: running ⇄ degraded. What is known of an end says more:
   * it is not replaced, and takes the canary's place. Answers whether the task's status or reason changed by it.
   */
  reportCanary(
    taskId: string,
    health: { status: 'running' } | { status: 'degraded'; reason: StatusReason },
  ): Promise<boolean>;
  /** Lanes of the session path: whether messages go to the task's own queue instead of the target (`Task.overflowing`). */
  reportOverflow(taskId: string, isOverflowing: boolean): Promise<void>;
  /**
   * Last step of a deletion: the task, its name, its use counts. Events and revisions expire by themselves. Does nothing
   * when the task is gone; throws `ControlPlaneError` `LEASE_LOST` when the lease is not ours or no deletion is wanted.
   */
  remove(lease: TaskLease): Promise<void>;
  /** Not conditional on anything: events of a task that is gone are kept too. */
  appendEvent(taskId: string, event: NewTaskEvent): Promise<void>;
  /** Newest first. */
  listEvents(taskId: string, page: { limit: number; cursor?: string }): Promise<Page<TaskEvent>>;
  /** Newest first. */
  listRevisions(taskId: string, page: { limit: number; cursor?: string }): Promise<Page<TaskRevision>>;
  getRevision(taskId: string, version: number): Promise<TaskRevision | undefined>;
}

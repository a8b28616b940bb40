import type {
  DesiredState,
  StatusReason,
  Task,
  TaskDefinition,
  TaskDirection,
  TaskResources,
  TaskStatus,
} from '../domain/task.ts';

export interface NewTask {
  taskId: string;
  definition: TaskDefinition;
  direction: TaskDirection;
  sourceRegion: string;
  desired: Extract<DesiredState, 'running' | 'paused'>;
  /** Event text and code written with the creation. */
  at: string;
  /** Concurrency units reserved now (0 when not started). */
  reserve: number;
  /** Units of the stack in all; the store refuses what would exceed it. */
  concurrencyLimit: number;
  /** Same key and same hash within 24 h: the first task is answered again; same key, other hash: refused. */
  idempotency?: { key: string; requestHash: string };
}

export interface TaskFilter {
  status?: TaskStatus;
  direction?: TaskDirection;
  /** Tasks whose source or target is this cluster. */
  clusterId?: string;
  /** Part of the name or description, case-insensitive. */
  query?: string;
}

export interface Page<T> {
  items: T[];
  /** Opaque; absent on the last page. */
  nextCursor?: string;
}

/** Something that happened to a task, kept 90 days. */
export interface TaskEvent {
  eventId: string;
  at: string;
  code: string;
  message: string;
  /** Who asked for it, as far as the API knows: an ARN or a token's subject. */
  actor?: string;
  details?: Record<string, unknown>;
}
export type NewTaskEvent = Omit<TaskEvent, 'eventId'>;

export interface TaskRevision {
  version: number;
  definition: TaskDefinition;
  at: string;
  actor?: string;
}

/** Held while converge works on one task; `epoch` fences a holder that slept. */
export interface TaskLease {
  taskId: string;
  owner: string;
  epoch: number;
  expiresAtMs: number;
}

/** What converge records: only these attributes; the user's side (definition, desired, version) is never touched by it. */
export interface Progress {
  status: TaskStatus;
  /** null removes the reason. */
  reason?: StatusReason | null;
  resources?: TaskResources;
  observedVersion?: number;
}

/**
 * The table of tasks. Conditional writes throughout; a `RequestError` names what did not hold:
 * `TASK_NOT_FOUND` 404, `TASK_NAME_TAKEN` 409, `VERSION_MISMATCH` 412, `TASK_RUNNING` 409, `CONCURRENCY_EXHAUSTED` 409
 * (extension `free`), `IDEMPOTENCY_KEY_REUSED` 409, `CLUSTER_NOT_FOUND` 404.
 */
export interface TaskStore {
  /** One transaction: task, unique name, use counts of both clusters, idempotency record, concurrency, first revision, event. */
  create(task: NewTask): Promise<{ task: Task; replayed: boolean }>;
  /** Strongly consistent. */
  get(taskId: string): Promise<Task | undefined>;
  list(filter: TaskFilter, page: { limit: number; cursor?: string }): Promise<Page<Task>>;
  /** New revision, if the version is still `expectedVersion` and the task is neither wanted running nor busy. */
  saveDefinition(edit: {
    taskId: string;
    expectedVersion: number;
    definition: TaskDefinition;
    direction: TaskDirection;
    sourceRegion: string;
    at: string;
    actor?: string;
  }): Promise<Task>;
  /**
   * Changes what is wanted, and the reserved concurrency with it, in one transaction. Asking for what is already wanted
   * changes nothing and answers the task. `deleted` is final.
   */
  setDesired(change: {
    taskId: string;
    desired: DesiredState;
    status: TaskStatus;
    concurrencyLimit: number;
    at: string;
    actor?: string;
    discardBacklog?: boolean;
  }): Promise<Task>;
  /** Takes back a deletion that met a backlog nobody allowed to discard. Converge only. */
  cancelDeletion(lease: TaskLease, reason: StatusReason): Promise<Task>;
  acquireLease(taskId: string, owner: string, durationMs: number): Promise<TaskLease | undefined>;
  renewLease(lease: TaskLease, durationMs: number): Promise<TaskLease | undefined>;
  releaseLease(lease: TaskLease): Promise<void>;
  /** Conditional on the lease; answers the task as it is now, or undefined when the lease is no longer ours. */
  saveProgress(lease: TaskLease, progress: Progress): Promise<Task | undefined>;
  /** Data plane: running ⇄ degraded, only while the task is in one of the two. Answers false when it was in neither. */
  reportHealth(
    taskId: string,
    health: { status: 'running' } | { status: 'degraded'; reason: StatusReason },
  ): Promise<boolean>;
  /** Last step of a deletion: the task, its name, its use counts. Events and revisions expire by themselves. */
  remove(lease: TaskLease): Promise<void>;
  appendEvent(taskId: string, event: NewTaskEvent): Promise<void>;
  listEvents(taskId: string, page: { limit: number; cursor?: string }): Promise<Page<TaskEvent>>;
  listRevisions(taskId: string, page: { limit: number; cursor?: string }): Promise<Page<TaskRevision>>;
  getRevision(taskId: string, version: number): Promise<TaskRevision | undefined>;
}

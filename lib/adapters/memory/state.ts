import type { Cluster, RegisteredTopic } from '../../domain/clusters/cluster.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { TaskEvent } from '../../domain/tasks/task-events.ts';
import type { IdempotencyKey, TaskLease, TaskRevision } from '../../ports/task-store.ts';

/** A task with what the store keeps beside it. */
export interface TaskRecord {
  task: Task;
  /** Concurrency units reserved. */
  held: number;
  uses: Uses;
  lease?: TaskLease;
  epoch: number;
}

/** What a task uses of the registered clusters. */
export interface Uses {
  sourceClusterId: string;
  sourceRegion: string;
  targetClusterId: string;
  rocketmqTopic?: { clusterId: string; topic: string };
}

export interface ClusterRecord {
  cluster: Cluster;
  taskCount: number;
  topics: Map<string, TopicRecord>;
}

export interface TopicRecord {
  topic: RegisteredTopic;
  taskCount: number;
}

/** The tables of one stack in memory; the stores of one stack share it. */
export interface MemoryState {
  tasks: Map<string, TaskRecord>;
  taskIdsByName: Map<string, string>;
  idempotency: Map<string, IdempotencyKey & { taskId: string; expiresAtMs: number }>;
  /** By task; oldest first. Outlive their task. */
  events: Map<string, TaskEvent[]>;
  revisions: Map<string, TaskRevision[]>;
  clusters: Map<string, ClusterRecord>;
  usedConcurrency: number;
  unreservedConcurrency?: number;
  removing: boolean;
}

export function createMemoryState(): MemoryState {
  return {
    tasks: new Map(),
    taskIdsByName: new Map(),
    idempotency: new Map(),
    events: new Map(),
    revisions: new Map(),
    clusters: new Map(),
    usedConcurrency: 0,
    removing: false,
  };
}

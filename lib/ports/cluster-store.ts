import type {
  Cluster,
  ClusterInput,
  ClusterKind,
  RegisteredTopic,
  RocketmqMessageType,
} from '../domain/clusters/cluster.ts';
import type { Page } from './task-store.ts';

/**
 * The table of clusters and registered topics. Throws `RequestError`: `CLUSTER_NOT_FOUND` 404, `TOPIC_NOT_FOUND` 404,
 * `VERSION_MISMATCH` 412, `CLUSTER_IN_USE` 409 (extension `tasks`: the number), `TOPIC_IN_USE` 409, `KIND_FIXED` 409, `CURSOR_INVALID` 400, `STORE_BUSY` and `STORE_UNAVAILABLE` 503. Lists are in the order of their names.
 */
export interface ClusterStore {
  /**
   * Creates or replaces. The kind never changes; what else of a used cluster may change is decided by the use case.
   *
   * @param options.onlyUnused - true: refused with `CLUSTER_IN_USE` when any task uses the cluster, atomically
   */
  put(
    clusterId: string,
    input: ClusterInput,
    options: { at: string; expectedVersion?: number; onlyUnused?: boolean },
  ): Promise<{ cluster: Cluster; created: boolean }>;
  get(clusterId: string): Promise<Cluster | undefined>;
  list(
    filter: { region?: string; kind?: ClusterKind },
    page: { limit: number; cursor?: string },
  ): Promise<Page<Cluster>>;
  /** Refused while a task uses the cluster, atomically. Removes its registered topics too. */
  delete(clusterId: string, options?: { expectedVersion?: number }): Promise<void>;
  /** Creates or replaces; `tasks` counts the tasks whose source or target names this topic literally. */
  putTopic(
    clusterId: string,
    topic: string,
    type: RocketmqMessageType,
    options: { at: string },
  ): Promise<{ topic: RegisteredTopic; created: boolean; tasks: number }>;
  getTopic(clusterId: string, topic: string): Promise<RegisteredTopic | undefined>;
  listTopics(clusterId: string, page: { limit: number; cursor?: string }): Promise<Page<RegisteredTopic>>;
  /** Refused with `TOPIC_IN_USE` while a task's source or target names it literally, atomically. */
  deleteTopic(clusterId: string, topic: string): Promise<void>;
}

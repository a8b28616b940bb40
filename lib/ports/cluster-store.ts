import type {
  Cluster,
  ClusterInput,
  ClusterKind,
  RegisteredTopic,
  RocketmqMessageType,
} from '../domain/cluster.ts';
import type { Page } from './task-store.ts';

/**
 * The table of clusters and registered topics. Throws `RequestError`: `CLUSTER_NOT_FOUND` 404, `TOPIC_NOT_FOUND` 404,
 * `VERSION_MISMATCH` 412, `CLUSTER_IN_USE` 409 (extension `tasks`: the number), `TOPIC_IN_USE` 409, `KIND_FIXED` 409.
 */
export interface ClusterStore {
  /** Creates or replaces. The kind never changes; kind, region and address of a used cluster are guarded by the use case. */
  put(
    clusterId: string,
    input: ClusterInput,
    options: { at: string; expectedVersion?: number },
  ): Promise<{ cluster: Cluster; created: boolean }>;
  get(clusterId: string): Promise<Cluster | undefined>;
  list(
    filter: { region?: string; kind?: ClusterKind },
    page: { limit: number; cursor?: string },
  ): Promise<Page<Cluster>>;
  /** Refused while a task uses the cluster, atomically. Removes its registered topics too. */
  delete(clusterId: string, options?: { expectedVersion?: number }): Promise<void>;
  putTopic(
    clusterId: string,
    topic: string,
    type: RocketmqMessageType,
    options: { at: string },
  ): Promise<{ topic: RegisteredTopic; created: boolean }>;
  getTopic(clusterId: string, topic: string): Promise<RegisteredTopic | undefined>;
  listTopics(clusterId: string, page: { limit: number; cursor?: string }): Promise<Page<RegisteredTopic>>;
  deleteTopic(clusterId: string, topic: string): Promise<void>;
}

import type { RegisteredTopic } from '../domain/cluster.ts';
import type { ClusterStore } from '../ports/cluster-store.ts';
import type { Page } from '../ports/task-store.ts';

/** In the order of their names. Throws `RequestError` 404 `CLUSTER_NOT_FOUND`, 400 `CURSOR_INVALID`. */
export type ListTopics = (request: {
  clusterId: string;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<RegisteredTopic>>;

export function createListTopics({ clusters }: { clusters: Pick<ClusterStore, 'listTopics'> }): ListTopics {
  return ({ clusterId, limit, cursor }) =>
    clusters.listTopics(clusterId, { limit, ...(cursor === undefined ? {} : { cursor }) });
}

import type { RegisteredTopic } from '../../domain/clusters/cluster.ts';
import { topicNotFound } from '../../domain/errors/request-errors.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import type { GetCluster } from './get-cluster.ts';

/** Throws `RequestError` 404 `CLUSTER_NOT_FOUND` or `TOPIC_NOT_FOUND`. */
export type GetTopic = (request: { clusterId: string; topic: string }) => Promise<RegisteredTopic>;

export function createGetTopic({
  clusters,
  getCluster,
}: {
  clusters: Pick<ClusterStore, 'getTopic'>;
  getCluster: GetCluster;
}): GetTopic {
  return async ({ clusterId, topic }) => {
    const registered = await clusters.getTopic(clusterId, topic);
    if (registered !== undefined) return registered;
    await getCluster(clusterId);
    throw topicNotFound(clusterId, topic);
  };
}

import type { ClusterStore } from '../../ports/cluster-store.ts';

/**
 * Forgets a registered topic; on the cluster it stays. Throws `RequestError`: 404 `CLUSTER_NOT_FOUND`, `TOPIC_NOT_FOUND`,
 * 409 `TOPIC_IN_USE` (extension `tasks`).
 */
export type DeleteTopic = (request: { clusterId: string; topic: string }) => Promise<void>;

export function createDeleteTopic({
  clusters,
}: {
  clusters: Pick<ClusterStore, 'deleteTopic'>;
}): DeleteTopic {
  return ({ clusterId, topic }) => clusters.deleteTopic(clusterId, topic);
}

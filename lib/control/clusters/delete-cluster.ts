import type { ClusterStore } from '../../ports/cluster-store.ts';

/**
 * Forgets a cluster and its registered topics. Throws `RequestError`: 404 `CLUSTER_NOT_FOUND`, 409 `CLUSTER_IN_USE`
 * (extension `tasks`), 412 `VERSION_MISMATCH`.
 */
export type DeleteCluster = (request: {
  clusterId: string;
  expectedVersion?: number | undefined;
}) => Promise<void>;

export function createDeleteCluster({ clusters }: { clusters: Pick<ClusterStore, 'delete'> }): DeleteCluster {
  return ({ clusterId, expectedVersion }) =>
    clusters.delete(clusterId, expectedVersion === undefined ? {} : { expectedVersion });
}

import type { Cluster } from '../../domain/clusters/cluster.ts';
import { clusterNotFound } from '../../domain/errors/request-errors.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';

/** Throws `RequestError` 404 `CLUSTER_NOT_FOUND`. */
export type GetCluster = (clusterId: string) => Promise<Cluster>;

export function createGetCluster({ clusters }: { clusters: Pick<ClusterStore, 'get'> }): GetCluster {
  return async (clusterId) => {
    const cluster = await clusters.get(clusterId);
    if (cluster === undefined) throw clusterNotFound(clusterId);
    return cluster;
  };
}

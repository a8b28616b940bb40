import type { Cluster, ClusterKind } from '../../domain/clusters/cluster.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import type { Page } from '../../ports/task-store.ts';

/** In the order of their ids. Throws `RequestError` 400 `CURSOR_INVALID`. */
export type ListClusters = (request: {
  region?: string | undefined;
  kind?: ClusterKind | undefined;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<Cluster>>;

export function createListClusters({ clusters }: { clusters: Pick<ClusterStore, 'list'> }): ListClusters {
  return ({ region, kind, limit, cursor }) =>
    clusters.list(
      { ...(region === undefined ? {} : { region }), ...(kind === undefined ? {} : { kind }) },
      { limit, ...(cursor === undefined ? {} : { cursor }) },
    );
}

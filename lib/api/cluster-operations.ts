import type { DeleteCluster } from '../control/clusters/delete-cluster.ts';
import type { DeleteTopic } from '../control/clusters/delete-topic.ts';
import type { GetCluster } from '../control/clusters/get-cluster.ts';
import type { GetTopic } from '../control/clusters/get-topic.ts';
import type { ListClusters } from '../control/clusters/list-clusters.ts';
import type { PutCluster } from '../control/clusters/put-cluster.ts';
import type { PutTopic } from '../control/clusters/put-topic.ts';
import type { CLUSTER_ROUTES } from './cluster-routes.ts';
import type { Operations } from './route.ts';

export interface ClusterUseCases {
  listClusters: ListClusters;
  getCluster: GetCluster;
  putCluster: PutCluster;
  deleteCluster: DeleteCluster;
  getTopic: GetTopic;
  putTopic: PutTopic;
  deleteTopic: DeleteTopic;
}

/** What each cluster route does: one use case, and its outcome as an answer. */
export function clusterOperations(use: ClusterUseCases): Operations<typeof CLUSTER_ROUTES> {
  return {
    'GET /clusters': async ({ query }) => ({ status: 200, body: await use.listClusters(query) }),
    'PUT /clusters/{clusterId}': async ({ params, body, ifMatch }) => {
      const request = { ...params, input: body, expectedVersion: ifMatch };
      const { cluster, created, warnings } = await use.putCluster(request);
      return { status: created ? 201 : 200, body: { ...cluster, warnings }, version: cluster.version };
    },
    'GET /clusters/{clusterId}': async ({ params }) => {
      const cluster = await use.getCluster(params.clusterId);
      return { status: 200, body: cluster, version: cluster.version };
    },
    'DELETE /clusters/{clusterId}': async ({ params, ifMatch }) => {
      await use.deleteCluster({ ...params, expectedVersion: ifMatch });
      return { status: 204 };
    },
    'PUT /clusters/{clusterId}/topics/{topic}': async ({ params, body }) => {
      const { topic, created, warnings } = await use.putTopic({ ...params, ...body });
      return { status: created ? 201 : 200, body: { ...topic, warnings } };
    },
    'GET /clusters/{clusterId}/topics/{topic}': async ({ params }) => ({
      status: 200,
      body: await use.getTopic(params),
    }),
    'DELETE /clusters/{clusterId}/topics/{topic}': async ({ params }) => {
      await use.deleteTopic(params);
      return { status: 204 };
    },
  };
}

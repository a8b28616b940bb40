import { createDynamoClusterStore } from '../lib/adapters/dynamodb/cluster-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { clusterOperations } from '../lib/api/cluster-operations.ts';
import { CLUSTER_ROUTES } from '../lib/api/cluster-routes.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { createDeleteCluster } from '../lib/control/clusters/delete-cluster.ts';
import { createDeleteTopic } from '../lib/control/clusters/delete-topic.ts';
import { createGetCluster } from '../lib/control/clusters/get-cluster.ts';
import { createGetTopic } from '../lib/control/clusters/get-topic.ts';
import { createListClusters } from '../lib/control/clusters/list-clusters.ts';
import { createPutCluster } from '../lib/control/clusters/put-cluster.ts';
import { createPutTopic } from '../lib/control/clusters/put-topic.ts';
import { createApi } from '../lib/middleware/create-api.ts';

const config = readEnvironment(['TABLE_NAME', 'ALLOW_LOCAL_ADDRESSES', 'LOG_LEVEL']);
const logger = createLogger({ serviceName: 'api-clusters', logLevel: config.LOG_LEVEL });
const table = openTable(config.TABLE_NAME);
const clusters = createDynamoClusterStore(table);

const tasks = createDynamoTaskStore(table, clock);
const getCluster = createGetCluster({ clusters });

const operations = clusterOperations({
  listClusters: createListClusters({ clusters }),
  getCluster,
  putCluster: createPutCluster({
    clusters,
    tasks,
    clock,
    allowLocalAddresses: config.ALLOW_LOCAL_ADDRESSES,
  }),
  deleteCluster: createDeleteCluster({ clusters }),
  getTopic: createGetTopic({ clusters, getCluster }),
  putTopic: createPutTopic({ clusters, getCluster, clock }),
  deleteTopic: createDeleteTopic({ clusters }),
});

export const handler = createApi(CLUSTER_ROUTES, operations, { logger });

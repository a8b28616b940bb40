import type { Context } from 'aws-lambda';
import { createDynamoClusterStore } from '../lib/adapters/dynamodb/cluster-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { guardAddresses } from '../lib/adapters/network/address-guard.ts';
import { createProducerPool } from '../lib/adapters/rocketmq/producer-pool.ts';
import { createRocketmqAdmins } from '../lib/adapters/rocketmq-admin/admins.ts';
import { createSecretReader } from '../lib/adapters/secrets/secret-reader.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { probeOperations } from '../lib/api/probe-operations.ts';
import { PROBE_ROUTES } from '../lib/api/probe-routes.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { createCreateTopic } from '../lib/control/clusters/create-topic.ts';
import { createGetCluster } from '../lib/control/clusters/get-cluster.ts';
import { createListTopics } from '../lib/control/clusters/list-topics.ts';
import { createPutTopic } from '../lib/control/clusters/put-topic.ts';
import { createRequireAdmin } from '../lib/control/clusters/require-admin.ts';
import { createGetLag } from '../lib/control/tasks/get-lag.ts';
import { createGetPullTask } from '../lib/control/tasks/get-pull-task.ts';
import { createGetTask } from '../lib/control/tasks/get-task.ts';
import { createProbeTarget } from '../lib/control/tasks/probe-target.ts';
import { createResetPosition } from '../lib/control/tasks/reset-position.ts';
import type { ApiEvent } from '../lib/middleware/api-event.ts';
import { createApi } from '../lib/middleware/create-api.ts';

const config = readEnvironment(['TABLE_NAME', 'ALLOW_LOCAL_ADDRESSES', 'LOG_LEVEL']);
guardAddresses({ allowLocal: config.ALLOW_LOCAL_ADDRESSES });
const logger = createLogger({ serviceName: 'probe', logLevel: config.LOG_LEVEL });
const table = openTable(config.TABLE_NAME);
const clusters = createDynamoClusterStore(table);
const tasks = createDynamoTaskStore(table, clock);
const admins = createRocketmqAdmins({ secrets: createSecretReader({ clock }), clock });

const getCluster = createGetCluster({ clusters });
const getPullTask = createGetPullTask({ getTask: createGetTask({ tasks }), getCluster });
const putTopic = createPutTopic({ clusters, getCluster, clock });
const requireAdmin = createRequireAdmin({ admins });

const operations = probeOperations({
  listTopics: createListTopics({ clusters, admins }),
  createTopic: createCreateTopic({ getCluster, requireAdmin, putTopic }),
  resetPosition: createResetPosition({ tasks, getPullTask, requireAdmin, clock }),
  getLag: createGetLag({ getPullTask, requireAdmin, clock }),
});

const secrets = createSecretReader({ clock });
const probeTarget = createProbeTarget({
  tasks,
  clusters,
  producers: createProducerPool({ secrets, clock }),
  clock,
  logger,
});
const api = createApi(PROBE_ROUTES, operations, { logger });

/** What converge asks about a task's target. */
interface TargetQuestion {
  source: 'converge';
  taskId: string;
}

/** A route of the API, or a question of converge. */
export async function handler(event: ApiEvent | TargetQuestion, context: Context) {
  if (!('source' in event)) return api(event, context);
  logger.setContext({ requestId: context.awsRequestId });
  return probeTarget(event.taskId);
}

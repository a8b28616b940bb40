import { SQSClient } from '@aws-sdk/client-sqs';
import { createDynamoClusterStore } from '../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoFigureStore } from '../lib/adapters/dynamodb/figure-store.ts';
import { createDynamoLaneLeases } from '../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoStackStore } from '../lib/adapters/dynamodb/stack-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { DATA_PLANE_SQS_CLIENT } from '../lib/adapters/sqs/client-options.ts';
import { createSqsControlQueue } from '../lib/adapters/sqs/control-queue.ts';
import { createSqsQueueCounter } from '../lib/adapters/sqs/queue-counter.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { parseDefinition } from '../lib/api/parse-definition.ts';
import { taskOperations } from '../lib/api/task-operations.ts';
import { TASK_ROUTES } from '../lib/api/task-routes.ts';
import { readApiTasksConfig } from '../lib/config/api-tasks.ts';
import { createReadErrors } from '../lib/control/figures/read-errors.ts';
import { createCheckTask } from '../lib/control/tasks/check-task.ts';
import { createCountBacklog } from '../lib/control/tasks/count-backlog.ts';
import { createCreateTask } from '../lib/control/tasks/create-task.ts';
import { createDeleteTask } from '../lib/control/tasks/delete-task.ts';
import { createEditTask } from '../lib/control/tasks/edit-task.ts';
import { createGetTask } from '../lib/control/tasks/get-task.ts';
import { createListEvents } from '../lib/control/tasks/list-events.ts';
import { createListRevisions } from '../lib/control/tasks/list-revisions.ts';
import { createListTasks } from '../lib/control/tasks/list-tasks.ts';
import { createLiveStatus } from '../lib/control/tasks/live-status.ts';
import { createPauseTask } from '../lib/control/tasks/pause-task.ts';
import { createShowTask } from '../lib/control/tasks/show-task.ts';
import { createStackGuard } from '../lib/control/tasks/stack-guard.ts';
import { createStartTask } from '../lib/control/tasks/start-task.ts';
import { createWakeConverge } from '../lib/control/tasks/wake-converge.ts';
import { createApi } from '../lib/middleware/create-api.ts';

const config = readApiTasksConfig();
const logger = createLogger({ serviceName: 'api-tasks', logLevel: config.LOG_LEVEL });
const table = openTable(config.TABLE_NAME);
const sqs = new SQSClient(DATA_PLANE_SQS_CLIENT);
const tasks = createDynamoTaskStore(table, clock);
const clusters = createDynamoClusterStore(table);
const controlQueue = createSqsControlQueue({ sqs, queueUrl: config.CONTROL_QUEUE_URL });

const getTask = createGetTask({ tasks });
const liveStatus = createLiveStatus({ leases: createDynamoLaneLeases(table, clock), clock });
const checkTask = createCheckTask({ clusters, tasks, allowedTopicPrefixes: config.ALLOWED_TOPIC_PREFIXES });
const countBacklog = createCountBacklog({ queueCounter: createSqsQueueCounter({ sqs }) });
const stack = createDynamoStackStore(table);
const guardStack = createStackGuard({ stack, ruleConcurrency: config.RULE_CONCURRENCY });
const wakeConverge = createWakeConverge({ controlQueue, logger });

const shared = { tasks, getTask, checkTask, countBacklog, guardStack, wakeConverge, clock };
const operations = taskOperations({
  createTask: createCreateTask(shared),
  listTasks: createListTasks({ tasks, liveStatus }),
  getTask: createShowTask({ getTask, liveStatus }),
  readErrors: createReadErrors({ figures: createDynamoFigureStore(table) }),
  editTask: createEditTask({ ...shared, parseDefinition }),
  deleteTask: createDeleteTask(shared),
  startTask: createStartTask(shared),
  pauseTask: createPauseTask(shared),
  listEvents: createListEvents(shared),
  listRevisions: createListRevisions(shared),
});

export const handler = createApi(TASK_ROUTES, operations, { logger });

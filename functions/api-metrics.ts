import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createCloudWatchQueueMetrics } from '../lib/adapters/cloudwatch/queue-metrics.ts';
import { createDynamoFigureStore } from '../lib/adapters/dynamodb/figure-store.ts';
import { createDynamoLaneLeases } from '../lib/adapters/dynamodb/lane-leases.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { DATA_PLANE_SQS_CLIENT } from '../lib/adapters/sqs/client-options.ts';
import { createSqsQueueCounter } from '../lib/adapters/sqs/queue-counter.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { metricsOperations } from '../lib/api/metrics-operations.ts';
import { METRICS_ROUTES } from '../lib/api/metrics-routes.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { createGetMetrics } from '../lib/control/figures/get-metrics.ts';
import { createReadBalance } from '../lib/control/figures/read-balance.ts';
import { createScrapeMetrics } from '../lib/control/figures/scrape-metrics.ts';
import { createGetTask } from '../lib/control/tasks/get-task.ts';
import { createLiveStatus } from '../lib/control/tasks/live-status.ts';
import { createApi } from '../lib/middleware/create-api.ts';

const config = readEnvironment(['TABLE_NAME', 'AWS_ENDPOINT_URL', 'LOG_LEVEL']);
const logger = createLogger({ serviceName: 'api-metrics', logLevel: config.LOG_LEVEL });
const table = openTable(config.TABLE_NAME);
const tasks = createDynamoTaskStore(table, clock);
const figures = createDynamoFigureStore(table);

const readBalance = createReadBalance({
  figures,
  queueCounter: createSqsQueueCounter({ sqs: new SQSClient(DATA_PLANE_SQS_CLIENT) }),
  // An emulator's queues have no metrics.
  ...(config.AWS_ENDPOINT_URL === undefined
    ? { queueMetrics: createCloudWatchQueueMetrics({ cloudWatch: new CloudWatchClient({ maxAttempts: 2 }) }) }
    : {}),
  clock,
  logger,
});

const operations = metricsOperations({
  getMetrics: createGetMetrics({ getTask: createGetTask({ tasks }), figures, readBalance, clock }),
  scrapeMetrics: createScrapeMetrics({
    tasks,
    figures,
    liveStatus: createLiveStatus({ leases: createDynamoLaneLeases(table, clock), clock }),
  }),
});

export const handler = createApi(METRICS_ROUTES, operations, { logger });

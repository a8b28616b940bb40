import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { createDataEndpoints } from '../lib/adapters/aws-iot/data-endpoint.ts';
import { createDataPublishers } from '../lib/adapters/aws-iot/data-publisher.ts';
import { createDynamoClusterStore } from '../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoDeadLetterJobs } from '../lib/adapters/dynamodb/dead-letter-jobs.ts';
import { createDynamoDeadLetterStore } from '../lib/adapters/dynamodb/dead-letter-store.ts';
import { createDynamoFigureWrites } from '../lib/adapters/dynamodb/figure-writes.ts';
import { createDynamoPresenceStates } from '../lib/adapters/dynamodb/presence-states.ts';
import { createDynamoStackStore } from '../lib/adapters/dynamodb/stack-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { createMqttPublishers } from '../lib/adapters/mqtt/publishers.ts';
import { guardAddresses } from '../lib/adapters/network/address-guard.ts';
import { createProducerPool } from '../lib/adapters/rocketmq/producer-pool.ts';
import { createS3LargeBodies } from '../lib/adapters/s3/large-bodies.ts';
import { createSecretReader } from '../lib/adapters/secrets/secret-reader.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { createBatchFigures } from '../lib/replication/figures/batch-figures.ts';
import { createOpenCarrier } from '../lib/replication/redrive/open-carrier.ts';
import { createWorkOnJobs } from '../lib/replication/redrive/work-on-jobs.ts';

const config = readEnvironment([
  'TABLE_NAME',
  'DEAD_LETTER_BUCKET',
  'ALLOW_LOCAL_ADDRESSES',
  'AWS_ENDPOINT_URL',
  'LOG_LEVEL',
]);
guardAddresses({ allowLocal: config.ALLOW_LOCAL_ADDRESSES });
const logger = createLogger({ serviceName: 'redrive', logLevel: config.LOG_LEVEL });
const table = openTable(config.TABLE_NAME);
const secrets = createSecretReader({ clock });
const tasks = createDynamoTaskStore(table, clock);
const largeBodies = createS3LargeBodies({ s3: new S3Client({}), bucket: config.DEAD_LETTER_BUCKET });
const emulator = config.AWS_ENDPOINT_URL === undefined ? {} : { emulatorUrl: config.AWS_ENDPOINT_URL };
const awsIot = createDataPublishers({ endpoints: createDataEndpoints(), clock, ...emulator });

const workOnJobs = createWorkOnJobs({
  jobs: createDynamoDeadLetterJobs(table, clock),
  deadLetters: createDynamoDeadLetterStore({ table, largeBodies }),
  figures: createBatchFigures({ store: createDynamoFigureWrites(table), clock, logger }),
  tasks,
  stack: createDynamoStackStore(table),
  openCarrier: createOpenCarrier({
    tasks,
    clusters: createDynamoClusterStore(table),
    producers: createProducerPool({ secrets, clock }),
    publishers: createMqttPublishers({ secrets, clock, awsIot }),
    largeBodies,
    presenceStates: createDynamoPresenceStates(table),
    clock,
    logger,
  }),
  clock,
  logger,
});

/** The tick, or the API with the task whose dead letters were asked about. */
export async function handler(event: { taskId?: string }, context: Context): Promise<void> {
  logger.setContext({ requestId: context.awsRequestId });
  const deadlineMs = clock.now() + context.getRemainingTimeInMillis();
  const task = typeof event.taskId === 'string' ? { taskId: event.taskId } : {};
  await workOnJobs({ ...task, owner: randomUUID(), deadlineMs });
}

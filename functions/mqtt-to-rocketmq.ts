import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoCanaryStore } from '../lib/adapters/dynamodb/canary-store.ts';
import { createDynamoClusterStore } from '../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoFigureWrites } from '../lib/adapters/dynamodb/figure-writes.ts';
import { createDynamoLaneLeases } from '../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoOverflowGroups } from '../lib/adapters/dynamodb/overflow-groups.ts';
import { createDynamoPresenceStates } from '../lib/adapters/dynamodb/presence-states.ts';
import { createDynamoRetryTallies } from '../lib/adapters/dynamodb/retry-tallies.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { guardAddresses } from '../lib/adapters/network/address-guard.ts';
import { createProducerPool } from '../lib/adapters/rocketmq/producer-pool.ts';
import { createS3LargeBodies } from '../lib/adapters/s3/large-bodies.ts';
import { createSecretReader } from '../lib/adapters/secrets/secret-reader.ts';
import { DATA_PLANE_SQS_CLIENT } from '../lib/adapters/sqs/client-options.ts';
import { createSqsDeadLetterQueue } from '../lib/adapters/sqs/dead-letter-queue.ts';
import { createSqsVisibility } from '../lib/adapters/sqs/visibility.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { toQueueRecords } from '../lib/middleware/sqs-records.ts';
import { createBatchFigures } from '../lib/replication/figures/batch-figures.ts';
import { createMetricsReport } from '../lib/replication/figures/count-report.ts';
import { createForwardBatch } from '../lib/replication/rule-path/forward-batch.ts';

const config = readEnvironment([
  'TABLE_NAME',
  'DEAD_LETTER_QUEUE_URL',
  'DEAD_LETTER_BUCKET',
  'ALLOW_LOCAL_ADDRESSES',
  'SERVICE',
  'STAGE',
  'LOG_LEVEL',
]);
guardAddresses({ allowLocal: config.ALLOW_LOCAL_ADDRESSES });
const logger = createLogger({ serviceName: 'mqtt-to-rocketmq', logLevel: config.LOG_LEVEL });
const clock = systemClock;
const table = openTable(config.TABLE_NAME);
const sqs = new SQSClient(DATA_PLANE_SQS_CLIENT);

const forwardBatch = createForwardBatch({
  tasks: createDynamoTaskStore(table, clock),
  clusters: createDynamoClusterStore(table),
  producers: createProducerPool({ secrets: createSecretReader({ clock }), clock }),
  deadLetters: createSqsDeadLetterQueue({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL, logger }),
  visibility: createSqsVisibility({ sqs, logger }),
  largeBodies: createS3LargeBodies({ s3: new S3Client({}), bucket: config.DEAD_LETTER_BUCKET }),
  overflowGroups: createDynamoOverflowGroups(table),
  canaries: createDynamoCanaryStore(table),
  presenceStates: createDynamoPresenceStates(table),
  figures: createBatchFigures({ store: createDynamoFigureWrites(table), clock, logger }),
  retryTallies: createDynamoRetryTallies(table),
  lanes: createDynamoLaneLeases(table, clock),
  clock,
  logger,
  report: createMetricsReport({
    service: config.SERVICE,
    stage: config.STAGE,
    direction: 'mqtt-to-rocketmq',
    metrics: logger,
    clock,
  }),
});

/** A batch of a task's queue. Answers the records that come again; what is not listed has arrived, or is a dead letter. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  logger.setContext({ requestId: context.awsRequestId });
  try {
    const deadlineMs = clock.now() + context.getRemainingTimeInMillis();
    const { failedRecordIds } = await forwardBatch(toQueueRecords(event), { deadlineMs });
    return { batchItemFailures: failedRecordIds.map((itemIdentifier) => ({ itemIdentifier })) };
  } catch (error) {
    // A fault of ours. Throwing would do the same to the batch, and count as an error of the function as a whole.
    logger.error('batch not forwarded', { records: event.Records.length, error });
    return { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  }
}

import { S3Client } from '@aws-sdk/client-s3';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoDeadLetterStore } from '../lib/adapters/dynamodb/dead-letter-store.ts';
import { createDynamoFigureWrites } from '../lib/adapters/dynamodb/figure-writes.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createS3LargeBodies } from '../lib/adapters/s3/large-bodies.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { toQueueRecords } from '../lib/middleware/sqs-records.ts';
import { createStoreDeadLetters } from '../lib/replication/dead-letters/store-dead-letters.ts';
import { createBatchFigures } from '../lib/replication/figures/batch-figures.ts';
import { createMetricsReport } from '../lib/replication/figures/count-report.ts';

const config = readEnvironment(['TABLE_NAME', 'DEAD_LETTER_BUCKET', 'SERVICE', 'STAGE', 'LOG_LEVEL']);
const logger = createLogger({ serviceName: 'dead-letters', logLevel: config.LOG_LEVEL });

const table = openTable(config.TABLE_NAME);

const largeBodies = createS3LargeBodies({ s3: new S3Client({}), bucket: config.DEAD_LETTER_BUCKET });

const storeDeadLetters = createStoreDeadLetters({
  store: createDynamoDeadLetterStore({ table, largeBodies }),
  largeBodies,
  figures: createBatchFigures({ store: createDynamoFigureWrites(table), clock: systemClock, logger }),
  report: createMetricsReport({
    service: config.SERVICE,
    stage: config.STAGE,
    // Rules and queues of tasks lead to RocketMQ.
    direction: 'mqtt-to-rocketmq',
    metrics: logger,
    clock: systemClock,
  }),
  clock: systemClock,
  logger,
});

/** A batch of the hand-over queue. Answers the records that come again. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  logger.setContext({ requestId: context.awsRequestId });
  const deadlineMs = systemClock.now() + context.getRemainingTimeInMillis();
  const { failedRecordIds } = await storeDeadLetters(toQueueRecords(event), { deadlineMs });
  return { batchItemFailures: failedRecordIds.map((itemIdentifier) => ({ itemIdentifier })) };
}

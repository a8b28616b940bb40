import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { createDynamoDeadLetterJobs } from '../lib/adapters/dynamodb/dead-letter-jobs.ts';
import { createDynamoDeadLetterStore } from '../lib/adapters/dynamodb/dead-letter-store.ts';
import { createDynamoStackStore } from '../lib/adapters/dynamodb/stack-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { createLambdaJobStarter } from '../lib/adapters/lambda/job-starter.ts';
import { createS3LargeBodies } from '../lib/adapters/s3/large-bodies.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { deadLetterOperations } from '../lib/api/dead-letter-operations.ts';
import { DEAD_LETTER_ROUTES } from '../lib/api/dead-letter-routes.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { createCreateDeadLetterJob } from '../lib/control/dead-letters/create-dead-letter-job.ts';
import { createGetDeadLetter } from '../lib/control/dead-letters/get-dead-letter.ts';
import { createGetDeadLetterJob } from '../lib/control/dead-letters/get-dead-letter-job.ts';
import { createListDeadLetterJobs } from '../lib/control/dead-letters/list-dead-letter-jobs.ts';
import { createListDeadLetters } from '../lib/control/dead-letters/list-dead-letters.ts';
import { createSummarizeDeadLetters } from '../lib/control/dead-letters/summarize-dead-letters.ts';
import { createApi } from '../lib/middleware/create-api.ts';

const config = readEnvironment(['TABLE_NAME', 'DEAD_LETTER_BUCKET', 'REDRIVE_FUNCTION_NAME', 'LOG_LEVEL']);
const logger = createLogger({ serviceName: 'api-dead-letters', logLevel: config.LOG_LEVEL });
const table = openTable(config.TABLE_NAME);
const largeBodies = createS3LargeBodies({ s3: new S3Client({}), bucket: config.DEAD_LETTER_BUCKET });

const shared = {
  tasks: createDynamoTaskStore(table, clock),
  stack: createDynamoStackStore(table),
  deadLetters: createDynamoDeadLetterStore({ table, largeBodies }),
  jobs: createDynamoDeadLetterJobs(table, clock),
  starter: createLambdaJobStarter({
    lambda: new LambdaClient({}),
    functionName: config.REDRIVE_FUNCTION_NAME,
  }),
  largeBodies,
  clock,
  logger,
};

const operations = deadLetterOperations({
  listDeadLetters: createListDeadLetters(shared),
  getDeadLetter: createGetDeadLetter(shared),
  summarizeDeadLetters: createSummarizeDeadLetters(shared),
  createDeadLetterJob: createCreateDeadLetterJob(shared),
  listDeadLetterJobs: createListDeadLetterJobs(shared),
  getDeadLetterJob: createGetDeadLetterJob(shared),
});

export const handler = createApi(DEAD_LETTER_ROUTES, operations, { logger });

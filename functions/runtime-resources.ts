import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { BULK_CLIENT, CONTROL_PLANE_CLIENT } from '../lib/adapters/aws/client-options.ts';
import { createTopicRulesByRegion } from '../lib/adapters/aws-iot/topic-rules-by-region.ts';
import { createCustomResourceReply } from '../lib/adapters/cloudformation/custom-resource-reply.ts';
import { createDynamoConvergeState } from '../lib/adapters/dynamodb/converge-state.ts';
import { createDynamoLaneLeases } from '../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoRateLimiter } from '../lib/adapters/dynamodb/rate-limiter.ts';
import { createDynamoShiftRoster } from '../lib/adapters/dynamodb/shift-roster.ts';
import { createDynamoShiftSlots } from '../lib/adapters/dynamodb/shift-slots.ts';
import { createDynamoStackStore } from '../lib/adapters/dynamodb/stack-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { createLambdaEventSourceMappings } from '../lib/adapters/lambda/event-source-mappings.ts';
import { createSelfInvocation } from '../lib/adapters/lambda/self-invocation.ts';
import { createS3BucketCleaner } from '../lib/adapters/s3/bucket-cleaner.ts';
import { createSqsTaskQueues } from '../lib/adapters/sqs/task-queues.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readRuntimeResourcesConfig } from '../lib/config/runtime-resources.ts';
import { createHandleCleanupRequest } from '../lib/control/converge/cleanup-request.ts';
import { createCleanupStack } from '../lib/control/converge/cleanup-stack.ts';
import { createPacer } from '../lib/control/converge/converge-pacer.ts';
import { createInventory } from '../lib/control/converge/sweep-inventory.ts';

const { region, settings, ...config } = readRuntimeResourcesConfig();
const logger = createLogger({ serviceName: 'runtime-resources', logLevel: config.logLevel });
const table = openTable(config.tableName);
const lambda = new LambdaClient(CONTROL_PLANE_CLIENT);
const paceOf = createPacer({ limiter: createDynamoRateLimiter(table, clock), clock });
const cloud = {
  queues: createSqsTaskQueues({ sqs: new SQSClient(CONTROL_PLANE_CLIENT) }),
  mappings: createLambdaEventSourceMappings({ lambda, pace: paceOf('lambda', region) }),
  rules: createTopicRulesByRegion({ paceOf: (ruleRegion) => paceOf('iot', ruleRegion), home: region }),
};
const bucket = createS3BucketCleaner({
  s3: new S3Client(BULK_CLIENT),
  bucket: config.bucketName,
  clock,
});
const cleanup = createCleanupStack({
  tasks: createDynamoTaskStore(table, clock),
  stack: createDynamoStackStore(table),
  memory: createDynamoConvergeState(table),
  inventory: createInventory({ cloud, settings }),
  shifts: {
    roster: createDynamoShiftRoster(table),
    slots: createDynamoShiftSlots(table, clock),
    lanes: createDynamoLaneLeases(table, clock),
  },
  ...(config.keepData ? {} : { bucket }),
  region,
  clock,
  logger,
});
const reply = createCustomResourceReply({ clock });

/** A request of CloudFormation, or of this function's last invocation that had no time left. */
export async function handler(event: unknown, context: Context): Promise<void> {
  logger.setContext({ requestId: context.awsRequestId });
  const continuation = createSelfInvocation({ lambda, functionName: context.functionName });
  const handle = createHandleCleanupRequest({ cleanup, reply, continuation, clock, logger });
  await handle(event, { deadlineMs: clock.now() + context.getRemainingTimeInMillis() });
}

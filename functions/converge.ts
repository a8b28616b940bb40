import { randomBytes } from 'node:crypto';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { CONTROL_PLANE_CLIENT } from '../lib/adapters/aws/client-options.ts';
import { createBasicIngest } from '../lib/adapters/aws-iot/basic-ingest.ts';
import { createDataEndpoints } from '../lib/adapters/aws-iot/data-endpoint.ts';
import { createTopicRulesByRegion } from '../lib/adapters/aws-iot/topic-rules-by-region.ts';
import { createDynamoCanaryStore } from '../lib/adapters/dynamodb/canary-store.ts';
import { createDynamoConvergeState } from '../lib/adapters/dynamodb/converge-state.ts';
import { createDynamoDeadLetterSummary } from '../lib/adapters/dynamodb/dead-letter-summary.ts';
import { createDynamoFigureStore } from '../lib/adapters/dynamodb/figure-store.ts';
import { createDynamoLaneLeases } from '../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoOverflowGroups } from '../lib/adapters/dynamodb/overflow-groups.ts';
import { createDynamoRateLimiter } from '../lib/adapters/dynamodb/rate-limiter.ts';
import { createDynamoShiftRoster } from '../lib/adapters/dynamodb/shift-roster.ts';
import { createDynamoShiftSlots } from '../lib/adapters/dynamodb/shift-slots.ts';
import { createDynamoStackStore } from '../lib/adapters/dynamodb/stack-store.ts';
import { openTable } from '../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../lib/adapters/dynamodb/task-store.ts';
import { createLambdaAccountLimits } from '../lib/adapters/lambda/account-limits.ts';
import { createLambdaEventSourceMappings } from '../lib/adapters/lambda/event-source-mappings.ts';
import { createLambdaShiftStarter } from '../lib/adapters/lambda/shift-starter.ts';
import { createLambdaTargetProbe } from '../lib/adapters/lambda/target-probe.ts';
import { DATA_PLANE_SQS_CLIENT } from '../lib/adapters/sqs/client-options.ts';
import { createSqsControlQueue } from '../lib/adapters/sqs/control-queue.ts';
import { createSqsTaskQueues } from '../lib/adapters/sqs/task-queues.ts';
import { createSqsVisibility } from '../lib/adapters/sqs/visibility.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readConvergeConfig } from '../lib/config/converge.ts';
import { createConverge, type TickEvent } from '../lib/control/converge/converge.ts';
import { createPacer } from '../lib/control/converge/converge-pacer.ts';
import { ruleSql } from '../lib/mapping/rule-envelope.ts';
import { toQueueRecords } from '../lib/middleware/sqs-records.ts';

const { region, settings, ...config } = readConvergeConfig();
const logger = createLogger({ serviceName: 'converge', logLevel: config.logLevel });
const table = openTable(config.tableName);
const lambda = new LambdaClient(CONTROL_PLANE_CLIENT);
const controlSqs = new SQSClient(DATA_PLANE_SQS_CLIENT);
const paceOf = createPacer({ limiter: createDynamoRateLimiter(table, clock), clock });

const { convergeBatch, convergeTick } = createConverge({
  tasks: createDynamoTaskStore(table, clock),
  stack: createDynamoStackStore(table),
  memory: createDynamoConvergeState(table),
  control: createSqsControlQueue({ sqs: controlSqs, queueUrl: config.controlQueueUrl }),
  visibility: createSqsVisibility({ sqs: controlSqs, logger }),
  accountLimits: createLambdaAccountLimits({ lambda, pace: paceOf('lambda', region) }),
  cloud: {
    queues: createSqsTaskQueues({ sqs: new SQSClient(CONTROL_PLANE_CLIENT) }),
    mappings: createLambdaEventSourceMappings({ lambda, pace: paceOf('lambda', region) }),
    rules: createTopicRulesByRegion({ paceOf: (ruleRegion) => paceOf('iot', ruleRegion), home: region }),
  },
  shifts: {
    roster: createDynamoShiftRoster(table),
    slots: createDynamoShiftSlots(table, clock),
    starter: createLambdaShiftStarter({ lambda, functionNames: config.shiftFunctionNames }),
    lanes: createDynamoLaneLeases(table, clock),
  },
  overflowGroups: createDynamoOverflowGroups(table),
  figures: createDynamoFigureStore(table),
  targetProbe: createLambdaTargetProbe({ lambda, functionName: config.probeFunctionName, logger }),
  canaries: createDynamoCanaryStore(table),
  entrance: createBasicIngest({ endpoints: createDataEndpoints(), clock, ...config.emulator }),
  newToken: () => randomBytes(16).toString('hex'),
  deadLetterCounts: createDynamoDeadLetterSummary(table),
  ids: config.ids,
  metrics: logger,
  settings: { ...settings, ruleSql },
  ruleConcurrency: config.ruleConcurrency,
  countLagMs: config.countLagMs,
  region,
  clock,
  logger,
});

/** Records of the control queue, or a tick. */
export async function handler(event: SQSEvent | TickEvent, context: Context): Promise<SQSBatchResponse> {
  logger.setContext({ requestId: context.awsRequestId });
  const run = { owner: context.awsRequestId, deadlineMs: clock.now() + context.getRemainingTimeInMillis() };
  if (!('Records' in event)) {
    await convergeTick({ ...run, audit: event.audit === true });
    return { batchItemFailures: [] };
  }
  const { failedRecordIds } = await convergeBatch(toQueueRecords(event), run);
  return { batchItemFailures: failedRecordIds.map((itemIdentifier) => ({ itemIdentifier })) };
}

import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll } from '@jest/globals';
import type { TaskQueueSpec } from '../../../lib/ports/task-queues.ts';
import { describeEventSourceMappings } from '../../contract/event-source-mappings.ts';
import { describeTaskQueues } from '../../contract/task-queues.ts';
import { describeTopicRules } from '../../contract/topic-rules.ts';
import { type EmulatedCloud, openEmulatedCloud } from './emulator.ts';

/** The emulator does everything at once: no transient states, no blocked names, no lists that are behind. */
const atOnce = async () => undefined;

let cloud: EmulatedCloud;
let names = 0;
const made: string[] = [];
beforeAll(async () => {
  cloud = await openEmulatedCloud();
}, 30_000);
afterAll(async () => {
  for (const { uuid } of await cloud.mappings.list(cloud.functionName)) await cloud.mappings.delete(uuid);
  for (const name of await cloud.queues.list(`task-${cloud.id}`)) made.push(name);
  for (const name of made) {
    const queue = await cloud.queues.describe(name);
    if (queue !== undefined) await cloud.queues.delete(queue.url);
  }
  for (const name of await cloud.rules.list('')) if (name.includes(cloud.id)) await cloud.rules.delete(name);
  await cloud.close();
}, 30_000);

function newQueueSpec(): TaskQueueSpec {
  names += 1;
  const name = `task-${cloud.id}-${names}-end`;
  made.push(`other-${name}`);
  return {
    name,
    visibilityTimeoutSeconds: 180,
    retentionSeconds: 1_209_600,
    deadLetterQueueArn: cloud.deadLetterArn,
    maxReceiveCount: 1_000,
    tags: cloud.tags,
  };
}

function newFifoSpec(): TaskQueueSpec {
  const spec = newQueueSpec();
  return { ...spec, name: `${spec.name}.fifo`, isFifo: true, deadLetterQueueArn: cloud.deadLetterFifoArn };
}

describeTaskQueues('SQS', async () => ({
  queues: cloud.queues,
  newSpec: newQueueSpec,
  newFifoSpec,
  async send(QueueUrl, count) {
    const Entries = Array.from({ length: count }, (_, index) => ({ Id: String(index), MessageBody: 'm' }));
    await cloud.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  },
  catchUp: atOnce,
}));

describeEventSourceMappings('AWS Lambda', async () => ({
  mappings: cloud.mappings,
  newSpec: async () => ({
    queueArn: (await cloud.queues.ensure(newQueueSpec())).arn,
    functionName: cloud.functionName,
    enabled: false,
    batchSize: 10,
    maximumBatchingWindowSeconds: 0,
    maximumConcurrency: 5,
    tags: cloud.tags,
  }),
  newFifoSpec: async () => ({
    queueArn: (await cloud.queues.ensure(newFifoSpec())).arn,
    functionName: cloud.functionName,
    enabled: false,
    batchSize: 10,
    maximumConcurrency: 2,
    tags: cloud.tags,
  }),
  catchUp: atOnce,
  settle: atOnce,
  hasTransientStates: false,
}));

describeTopicRules('AWS IoT Core', async () => ({
  rules: cloud.rules,
  newSpec: () => {
    names += 1;
    return {
      name: `rule_${cloud.id}_${names}_end`,
      sql: "SELECT 1 AS v FROM 'a/+'",
      description: 'a rule',
      enabled: true,
      queueUrl: cloud.deadLetterUrl,
      errorQueueUrl: cloud.deadLetterUrl,
      roleArn: cloud.roleArn,
      tags: cloud.tags,
    };
  },
  catchUp: atOnce,
}));

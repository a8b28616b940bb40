import type { SQSEvent } from 'aws-lambda';
import { createMemoryDeadLetterQueue } from '../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryLargeBodies } from '../lib/adapters/memory/large-bodies.ts';
import { createMemoryOverflowGroups } from '../lib/adapters/memory/overflow-groups.ts';
import { createMemoryVisibility } from '../lib/adapters/memory/visibility.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { RocketmqCluster } from '../lib/domain/cluster.ts';
import type { Task } from '../lib/domain/task.ts';
import { TaskDefinition } from '../lib/domain/task.ts';
import { toQueueRecords } from '../lib/middleware/sqs-records.ts';
import type { Logger } from '../lib/ports/logger.ts';
import type { ProducerPool } from '../lib/ports/message-producer.ts';
import { createForwardBatch } from '../lib/replication/forward-batch.ts';
import { TASK_ID } from './messages.ts';

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const AT = new Date(0).toISOString();

/**
 * What `functions/mqtt-to-rocketmq.ts` does with a batch, from the event on, with its tables and queues in memory: one
 * read of task and cluster, decoding, mapping, checking, sending. Answers how many records were not acknowledged.
 */
export function createBatchingPath(options: {
  endpoint: string;
  rocketmqTopic: string;
  producers: ProducerPool;
}): (event: SQSEvent) => Promise<number> {
  const deadLetters = createMemoryDeadLetterQueue();
  const forwardBatch = createForwardBatch({
    tasks: { get: async () => benchTask(options.rocketmqTopic), reportHealth: async () => true },
    clusters: { get: async () => benchCluster(options.endpoint) },
    producers: options.producers,
    deadLetters,
    visibility: createMemoryVisibility(),
    largeBodies: createMemoryLargeBodies(),
    overflowGroups: createMemoryOverflowGroups(),
    clock: systemClock,
    logger: SILENT,
  });
  return async (event) => {
    const records = toQueueRecords(event);
    const { failedRecordIds } = await forwardBatch(records, { deadlineMs: Date.now() + 60_000 });
    return failedRecordIds.length + deadLetters.entries.length;
  };
}

function benchCluster(endpoint: string) {
  const input = RocketmqCluster.parse({ kind: 'rocketmq', name: 'bench', region: 'eu-west-1', endpoint });
  return { ...input, clusterId: 'business', version: 1, createdAt: AT, updatedAt: AT };
}

function benchTask(rocketmqTopic: string): Task {
  return {
    taskId: TASK_ID,
    definition: TaskDefinition.parse({
      taskName: 'bench',
      source: { clusterId: 'devices', topicFilters: ['stations/+/status'] },
      target: {
        clusterId: 'business',
        topic: rocketmqTopic,
        tag: templateOf('topic[3]'),
        keys: [templateOf('topic[2]')],
      },
    }),
    direction: 'mqtt-to-rocketmq',
    sourceRegion: 'eu-west-1',
    desired: 'running',
    status: 'running',
    version: 1,
    createdAt: AT,
    updatedAt: AT,
    resources: { rules: {}, rulesVersion: 1, rulesSettledAtMs: 0 },
  };
}

function templateOf(expression: string): string {
  return `\${${expression}}`;
}

import type { SQSEvent } from 'aws-lambda';
import { createMemoryDeadLetterQueue } from '../../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryFigureStore } from '../../lib/adapters/memory/figure-store.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import { createMemoryOverflowGroups } from '../../lib/adapters/memory/overflow-groups.ts';
import { createMemoryPresenceStates } from '../../lib/adapters/memory/presence-states.ts';
import { createMemoryRetryTallies } from '../../lib/adapters/memory/retry-tallies.ts';
import { createMemoryVisibility } from '../../lib/adapters/memory/visibility.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { toQueueRecords } from '../../lib/middleware/sqs-records.ts';
import type { Logger } from '../../lib/ports/logger.ts';
import type { ProducerPool } from '../../lib/ports/message-producer.ts';
import { createBatchFigures } from '../../lib/replication/figures/batch-figures.ts';
import { createForwardBatch } from '../../lib/replication/rule-path/forward-batch.ts';
import { benchTask, rocketmqCluster } from './records.ts';

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

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
    tasks: {
      get: async () => taskOf(options.rocketmqTopic),
      reportHealth: async () => true,
      appendEvent: async () => undefined,
    },
    clusters: { get: async () => rocketmqCluster({ endpoint: options.endpoint }) },
    producers: options.producers,
    deadLetters,
    visibility: createMemoryVisibility(),
    largeBodies: createMemoryLargeBodies(),
    overflowGroups: createMemoryOverflowGroups(),
    figures: createBatchFigures({ store: createMemoryFigureStore(), clock: systemClock, logger: SILENT }),
    presenceStates: createMemoryPresenceStates(),
    retryTallies: createMemoryRetryTallies(),
    lanes: { list: async () => [] },
    clock: systemClock,
    logger: SILENT,
  });
  return async (event) => {
    const records = toQueueRecords(event);
    const { failedRecordIds } = await forwardBatch(records, { deadlineMs: Date.now() + 60_000 });
    return failedRecordIds.length + deadLetters.entries.length;
  };
}

function taskOf(rocketmqTopic: string): Task {
  return benchTask('mqtt-to-rocketmq', {
    source: { topicFilters: ['stations/+/status'] },
    target: { topic: rocketmqTopic, tag: templateOf('topic[3]'), keys: [templateOf('topic[2]')] },
  });
}

function templateOf(expression: string): string {
  return `\${${expression}}`;
}

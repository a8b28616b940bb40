import { createMemoryDeadLetterQueue } from '../../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import {
  createMemoryMessageProducer,
  createMemoryProducerPool,
} from '../../lib/adapters/memory/message-producer.ts';
import { createMemoryOverflowGroups } from '../../lib/adapters/memory/overflow-groups.ts';
import { createMemoryPresenceStates } from '../../lib/adapters/memory/presence-states.ts';
import { createMemoryRetryTallies } from '../../lib/adapters/memory/retry-tallies.ts';
import { createMemoryVisibility } from '../../lib/adapters/memory/visibility.ts';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { createForwardBatch } from '../../lib/replication/rule-path/forward-batch.ts';
import type { ForwardBatchPorts } from '../../lib/replication/rule-path/forward-batch-ports.ts';
import { memoryBatchFigures } from './batch-figures.ts';
import { createRecordingLogger, createSteppingClock, createTaskTable, rocketmqCluster } from './rule-path.ts';

/** The batching function with all its parts in memory. */
export function createForwardWorld(
  task: Task | undefined,
  topics: Parameters<typeof createMemoryMessageProducer>[0]['topics'],
  changes: Partial<ForwardBatchPorts> = {},
) {
  const clock = createSteppingClock();
  const table = createTaskTable(task);
  const producer = createMemoryMessageProducer({ topics, clock });
  const deadLetters = createMemoryDeadLetterQueue();
  const visibility = createMemoryVisibility();
  const logger = createRecordingLogger();
  const largeBodies = createMemoryLargeBodies();
  const groups = createMemoryOverflowGroups();
  const presenceStates = createMemoryPresenceStates();
  const forwardBatch = createForwardBatch({
    tasks: table,
    clusters: { get: async () => rocketmqCluster() },
    producers: createMemoryProducerPool(producer),
    deadLetters,
    visibility,
    largeBodies,
    overflowGroups: groups,
    figures: memoryBatchFigures(clock),
    presenceStates,
    retryTallies: createMemoryRetryTallies(),
    lanes: { list: async () => [] },
    clock,
    logger,
    random: () => 0.5,
    ...changes,
  });
  return {
    clock,
    table,
    producer,
    deadLetters,
    visibility,
    logger,
    largeBodies,
    groups,
    presenceStates,
    forwardBatch,
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { createDynamoFigureWrites } from '../../lib/adapters/dynamodb/figure-writes.ts';
import { createDynamoOverflowGroups } from '../../lib/adapters/dynamodb/overflow-groups.ts';
import { createDynamoRetryTallies } from '../../lib/adapters/dynamodb/retry-tallies.ts';
import { createMemoryPresenceStates } from '../../lib/adapters/memory/presence-states.ts';
import { createMemorySecretReader } from '../../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../../lib/adapters/rocketmq/producer-pool.ts';
import { createSqsDeadLetterQueue } from '../../lib/adapters/sqs/dead-letter-queue.ts';
import { createSqsVisibility } from '../../lib/adapters/sqs/visibility.ts';
import { systemClock as clock } from '../../lib/adapters/system/clock.ts';
import { createBatchFigures } from '../../lib/replication/figures/batch-figures.ts';
import { createForwardBatch } from '../../lib/replication/rule-path/forward-batch.ts';
import { forwardOnce } from '../helpers/forward-once.ts';
import { silentLogger as logger } from '../helpers/silent-logger.ts';
import type { Stage } from './stage.ts';

const LOOK_AGAIN_MS = 500;
/** Units that the mapping of an overflow takes. */
const INVOCATIONS = 2;

/** The batching function, and the mapping that calls it while a task overflows: in this process, one batch at a time. */
export function startOverflowDrain(stage: Stage, taskId: string) {
  const { queues, handOverQueue, tasks, clusters, largeBodies } = stage;
  const pool = createProducerPool({ secrets: createMemorySecretReader({}), clock });
  const forwardBatch = createForwardBatch({
    tasks,
    clusters,
    producers: pool,
    deadLetters: createSqsDeadLetterQueue({ sqs: queues.sqs, queueUrl: handOverQueue.url, logger }),
    visibility: createSqsVisibility({ sqs: queues.sqs, logger }),
    largeBodies,
    overflowGroups: createDynamoOverflowGroups(stage.table),
    figures: createBatchFigures({ store: createDynamoFigureWrites(stage.table), clock, logger }),
    presenceStates: createMemoryPresenceStates(),
    retryTallies: createDynamoRetryTallies(stage.table),
    lanes: { list: async () => [] },
    clock,
    logger,
  });
  let isOver = false;
  let forwarded = 0;
  let hasOverflowed = false;

  /** Once there was an overflow, for good: the real mapping is disabled only when the queue has been empty for a while. */
  async function drain(): Promise<void> {
    while (!isOver) {
      const task = await tasks.get(taskId);
      const queue = task?.resources.queue;
      hasOverflowed ||= task?.overflowing === true;
      if (hasOverflowed && queue !== undefined) forwarded += await forwardOnce(queues, queue, forwardBatch);
      else await delay(LOOK_AGAIN_MS);
    }
  }

  const draining = Promise.all(Array.from({ length: INVOCATIONS }, drain));

  return {
    get forwarded() {
      return forwarded;
    },
    async close() {
      isOver = true;
      await draining;
      await pool.close();
    },
  };
}

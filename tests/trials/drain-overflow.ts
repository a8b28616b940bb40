import { setTimeout as delay } from 'node:timers/promises';
import { createDynamoOverflowGroups } from '../../lib/adapters/dynamodb/overflow-groups.ts';
import { createMemorySecretReader } from '../../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../../lib/adapters/rocketmq/producer-pool.ts';
import { createSqsDeadLetterQueue } from '../../lib/adapters/sqs/dead-letter-queue.ts';
import { createSqsVisibility } from '../../lib/adapters/sqs/visibility.ts';
import { systemClock as clock } from '../../lib/adapters/system/clock.ts';
import { createForwardBatch } from '../../lib/replication/forward-batch.ts';
import { forwardOnce } from '../helpers/forward-once.ts';
import { silentLogger as logger } from '../helpers/silent-logger.ts';
import type { Stage } from './stage.ts';

const LOOK_AGAIN_MS = 500;

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
    clock,
    logger,
  });
  let isOver = false;
  let forwarded = 0;
  let hasOverflowed = false;

  const draining = (async () => {
    while (!isOver) {
      const task = await tasks.get(taskId);
      const queue = task?.resources.queue;
      if (task?.overflowing !== true || queue === undefined) {
        await delay(LOOK_AGAIN_MS);
        continue;
      }
      hasOverflowed = true;
      forwarded += await forwardOnce(queues, queue, forwardBatch);
    }
  })();

  return {
    get forwarded() {
      return forwarded;
    },
    get hasOverflowed() {
      return hasOverflowed;
    },
    async close() {
      isOver = true;
      await draining;
      await pool.close();
    },
  };
}

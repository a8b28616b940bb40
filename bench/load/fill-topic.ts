import { createMemorySecretReader } from '../../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../../lib/adapters/rocketmq/producer-pool.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { rocketmqCluster } from '../ours/records.ts';
import { bodyOf, USER_PROPERTIES } from './message.ts';

const BATCH = 500;
const SENDERS = 4;
const SEND_TIMEOUT_MS = 30_000;

/** Stores messages in a topic; with `groups`, of so many message groups. Throws unless all are stored. */
export async function fillTopic(options: {
  endpoint: string;
  topic: string;
  count: number;
  groups?: number;
}): Promise<void> {
  const { endpoint, topic: rocketmqTopic, count, groups } = options;
  const producers = createProducerPool({ secrets: createMemorySecretReader(), clock: systemClock });
  const producer = await producers.producerFor(rocketmqCluster({ endpoint }));
  const properties = new Map(USER_PROPERTIES);
  const messageOf = (sequence: number) => ({
    rocketmqTopic,
    body: bodyOf(sequence),
    keys: [],
    properties,
    ...(groups === undefined ? {} : { messageGroup: `group-${sequence % groups}` }),
  });
  let next = 0;
  const sender = async () => {
    for (let from = next; from < count; from = next) {
      next = Math.min(count, from + BATCH);
      const batch = Array.from({ length: next - from }, (_, index) => messageOf(from + index));
      const results = await producer.send(rocketmqTopic, batch, { deadlineMs: Date.now() + SEND_TIMEOUT_MS });
      for (const result of results) if (result.status === 'failed') throw result.error;
    }
  };
  try {
    // Side by side the order of a group would be up to chance.
    await Promise.all(Array.from({ length: groups === undefined ? SENDERS : 1 }, sender));
  } finally {
    await producers.close();
  }
}

import { z } from 'zod';
import { createBrokerClient } from '../../lib/adapters/rocketmq-admin/broker-client.ts';
import { REQUEST } from '../../lib/adapters/rocketmq-admin/request-codes.ts';

const TopicStats = z.object({
  offsetTable: z.record(z.string(), z.object({ minOffset: z.number(), maxOffset: z.number() })),
});

/** Answers a function that asks RocketMQ how many messages a topic holds. */
export async function createStoredCounter(nameServer: string, topic: string): Promise<() => Promise<number>> {
  const client = createBrokerClient({ nameServer });
  const doing = `counting the messages of ${topic}`;
  const { addresses } = await client.masters(doing);
  return async () => {
    const request = { code: REQUEST.GET_TOPIC_STATS, fields: { topic } };
    const stats = await Promise.all(
      addresses.map((address) => client.read(address, request, TopicStats, doing)),
    );
    const queues = stats.flatMap((stat) => Object.values(stat?.offsetTable ?? {}));
    return queues.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0);
  };
}

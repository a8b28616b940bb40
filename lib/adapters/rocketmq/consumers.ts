import type { Clock } from '../../ports/clock.ts';
import type { MessageConsumers } from '../../ports/message-consumer.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { createClusterLink } from './cluster-link.ts';
import { createClusterPool } from './cluster-pool.ts';
import { RocketmqConsumer } from './consumer.ts';

/**
 * Consumers of RocketMQ 5 clusters. Those of one cluster share its connections, which are made anew as cluster-pool.ts says;
 * a consumer goes over to the new ones with its next receive.
 */
export function createMessageConsumers(options: { secrets: SecretReader; clock: Clock }): MessageConsumers {
  const { secrets, clock } = options;
  const pool = createClusterPool({
    secrets,
    clock,
    create: ({ endpoint, tls, namespace }, secret) =>
      createClusterLink({
        endpoint,
        tls,
        clock,
        ...(namespace === undefined ? {} : { namespace }),
        ...secret,
      }),
  });
  const open = new Set<RocketmqConsumer>();

  return {
    async open(cluster, subscription) {
      await pool.acquire(cluster);
      const onClose = () => open.delete(consumer);
      const consumer = new RocketmqConsumer({ pool, cluster, subscription, clock, onClose });
      open.add(consumer);
      return consumer;
    },
    async close() {
      await Promise.all([...open].map((consumer) => consumer.close()));
      await pool.close();
    },
  };
}

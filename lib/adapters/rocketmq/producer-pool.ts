import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { BridgeError } from '../../domain/errors/errors.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MessageProducer, ProducerPool, SendOptions, SendResult } from '../../ports/message-producer.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { createClusterPool } from './cluster-pool.ts';
import { RocketmqProducer, type RocketmqProducerOptions } from './producer.ts';

export interface ProducerPoolOptions {
  secrets: SecretReader;
  clock: Clock;
  requestTimeoutMs?: number;
  /** How a producer is made; tests hand in their own. */
  createProducer?: (options: RocketmqProducerOptions) => MessageProducer;
}

/**
 * Keeps one producer per cluster warm; see cluster-pool.ts for how long. When a cluster refuses the credentials and its
 * secret has changed, what was refused is sent, or asked, once more.
 */
export function createProducerPool(options: ProducerPoolOptions): ProducerPool {
  const { secrets, clock, requestTimeoutMs } = options;
  const createProducer = options.createProducer ?? ((given) => new RocketmqProducer(given));
  const pool = createClusterPool({
    secrets,
    clock,
    create: ({ endpoint, tls, namespace, multiMessage }, secret) =>
      createProducer({
        endpoint,
        tls,
        multiMessage,
        clock,
        ...(namespace === undefined ? {} : { namespace }),
        ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
        ...secret,
      }),
  });

  async function send(
    cluster: RocketmqClusterRecord,
    rocketmqTopic: string,
    messages: readonly RocketmqMessage[],
    sendOptions: SendOptions,
  ): Promise<SendResult[]> {
    const shared = await pool.acquire(cluster);
    const results = await shared.use((producer) => producer.send(rocketmqTopic, messages, sendOptions));
    const places = [...results.keys()].filter((place) => isRefusal(results[place]));
    const rotated = places.length === 0 ? undefined : await pool.afterRefusal(cluster, shared);
    if (rotated === undefined) return results;
    const refused = places.flatMap((place) => messages[place] ?? []);
    const again = await rotated.use((producer) => producer.send(rocketmqTopic, refused, sendOptions));
    return results.map((result, place) => again[places.indexOf(place)] ?? result);
  }

  async function check(
    cluster: RocketmqClusterRecord,
    rocketmqTopic: string,
    deadlineMs: number,
  ): Promise<void> {
    const shared = await pool.acquire(cluster);
    try {
      await shared.use((producer) => producer.check(rocketmqTopic, deadlineMs));
    } catch (error) {
      const isRefused = error instanceof BridgeError && error.code === 'CREDENTIALS_REFUSED';
      const rotated = isRefused ? await pool.afterRefusal(cluster, shared) : undefined;
      if (rotated === undefined) throw error;
      await rotated.use((producer) => producer.check(rocketmqTopic, deadlineMs));
    }
  }

  return {
    async producerFor(cluster) {
      await pool.acquire(cluster);
      return {
        send: (rocketmqTopic, messages, sendOptions) =>
          send(cluster, rocketmqTopic, messages, sendOptions).catch((error: unknown) =>
            failedBy(error, messages.length),
          ),
        check: (rocketmqTopic, deadlineMs) => check(cluster, rocketmqTopic, deadlineMs),
        // The producer behind it is shared; the pool closes it.
        close: async () => {},
      };
    },
    close: () => pool.close(),
  };
}

/** Refused credentials, or stopped behind a message that was refused for them: surely not stored, so it may be sent again. */
function isRefusal(result: SendResult | undefined): boolean {
  if (result?.status !== 'failed') return false;
  const { error } = result;
  const reason = error.code === 'GROUP_STOPPED' && error.cause instanceof BridgeError ? error.cause : error;
  return reason.code === 'CREDENTIALS_REFUSED';
}

/** What kept the whole send from beginning is what became of each message; misuse is thrown on. */
function failedBy(error: unknown, messages: number): SendResult[] {
  if (!(error instanceof BridgeError)) throw error;
  return Array.from({ length: messages }, () => ({ status: 'failed', error }));
}

import type { RocketmqClusterRecord } from '../../domain/cluster.ts';
import { BridgeError } from '../../domain/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { RocketmqMessage } from '../../domain/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MessageProducer, ProducerPool, SendOptions, SendResult } from '../../ports/message-producer.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { parseClusterSecret } from './cluster-secret.ts';
import { RocketmqProducer, type RocketmqProducerOptions } from './producer.ts';
import { SharedProducer } from './shared-producer.ts';

const MAX_PRODUCERS = 20;
/** Addresses behind a name change, and a load balancer wants connections spread anew. */
const MAX_AGE_MS = 15 * 60_000;
/** Credentials that stay refused must not turn every send into a read of the secret. */
const FRESH_SECRET_INTERVAL_MS = 30_000;

type SecretMembers = Readonly<Record<string, string>>;

export interface ProducerPoolOptions {
  secrets: SecretReader;
  clock: Clock;
  requestTimeoutMs?: number;
  /** How a producer is made; tests hand in their own. */
  createProducer?: (options: RocketmqProducerOptions) => MessageProducer;
}

/**
 * Keeps one producer per cluster warm. It is made anew when the cluster's record or its secret changed, or after
 * 15 minutes; the old one is closed when its last send has ended. At most 20: the one used longest ago goes first.
 *
 * When a cluster refuses the credentials, the secret is read again past every cache, at most every 30 s, and if it has
 * changed, what was refused is sent once more.
 */
export function createProducerPool(options: ProducerPoolOptions): ProducerPool {
  const { secrets, clock, requestTimeoutMs } = options;
  const createProducer = options.createProducer ?? ((given) => new RocketmqProducer(given));
  const pool = new Map<string, SharedProducer>();
  const freshReads = new Map<string, number>();
  let closed = false;

  async function acquire(cluster: RocketmqClusterRecord, fresh: boolean): Promise<SharedProducer> {
    const members = await readSecret(cluster, fresh);
    if (closed) throw new Error('the producer pool is closed');
    const known = pool.get(cluster.clusterId);
    const secret = members === undefined ? known?.origin.secret : JSON.stringify(members);
    if (known !== undefined && known.origin.secret === secret && isCurrent(known, cluster)) {
      keep(cluster.clusterId, known);
      return known;
    }
    const made = make(cluster, members ?? {});
    if (known !== undefined) void known.retire();
    keep(cluster.clusterId, made);
    return made;
  }

  /** Undefined: the secret store is away, and the producer at hand does meanwhile. */
  async function readSecret(
    cluster: RocketmqClusterRecord,
    fresh: boolean,
  ): Promise<SecretMembers | undefined> {
    if (cluster.secretRef === undefined) return {};
    try {
      return await secrets.read(cluster.secretRef, { fresh });
    } catch (error) {
      const known = pool.get(cluster.clusterId);
      const usable = known !== undefined && isCurrent(known, cluster);
      if (usable && error instanceof BridgeError && error.reaction === 'retry') return undefined;
      throw error;
    }
  }

  function isCurrent({ origin }: SharedProducer, cluster: RocketmqClusterRecord): boolean {
    return origin.version === cluster.version && clock.now() - origin.madeAtMs < MAX_AGE_MS;
  }

  function make(cluster: RocketmqClusterRecord, members: SecretMembers): SharedProducer {
    const { endpoint, tls, namespace, multiMessage, version } = cluster;
    const producer = createProducer({
      endpoint,
      tls,
      multiMessage,
      clock,
      ...(namespace === undefined ? {} : { namespace }),
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
      ...parseClusterSecret(members),
    });
    return new SharedProducer(producer, { version, secret: JSON.stringify(members), madeAtMs: clock.now() });
  }

  function keep(clusterId: string, shared: SharedProducer): void {
    void keepRecent(pool, clusterId, shared, MAX_PRODUCERS)?.retire();
  }

  /** A producer with another secret than the refused one, if there is another. */
  async function afterRotation(
    cluster: RocketmqClusterRecord,
    refused: SharedProducer,
  ): Promise<SharedProducer | undefined> {
    const current = pool.get(cluster.clusterId);
    if (current !== undefined && current.origin.secret !== refused.origin.secret) return current;
    const now = clock.now();
    const lastRead = freshReads.get(cluster.clusterId) ?? Number.NEGATIVE_INFINITY;
    if (cluster.secretRef === undefined || now - lastRead < FRESH_SECRET_INTERVAL_MS) return undefined;
    keepRecent(freshReads, cluster.clusterId, now, MAX_PRODUCERS);
    const read = await acquire(cluster, true);
    return read.origin.secret === refused.origin.secret ? undefined : read;
  }

  async function send(
    cluster: RocketmqClusterRecord,
    rocketmqTopic: string,
    messages: readonly RocketmqMessage[],
    sendOptions: SendOptions,
  ): Promise<SendResult[]> {
    const shared = await acquire(cluster, false);
    const results = await shared.send(rocketmqTopic, messages, sendOptions);
    const places = [...results.keys()].filter((place) => isRefusal(results[place]));
    const rotated = places.length === 0 ? undefined : await afterRotation(cluster, shared);
    if (rotated === undefined) return results;
    const refused = places.flatMap((place) => messages[place] ?? []);
    const again = await rotated.send(rocketmqTopic, refused, sendOptions);
    return results.map((result, place) => again[places.indexOf(place)] ?? result);
  }

  return {
    async producerFor(cluster) {
      await acquire(cluster, false);
      return {
        send: (rocketmqTopic, messages, sendOptions) =>
          send(cluster, rocketmqTopic, messages, sendOptions).catch((error: unknown) =>
            failedBy(error, messages.length),
          ),
        // The producer behind it is shared; the pool closes it.
        close: async () => {},
      };
    },
    async close() {
      closed = true;
      await Promise.all([...pool.values()].map((shared) => shared.retire()));
      pool.clear();
    },
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

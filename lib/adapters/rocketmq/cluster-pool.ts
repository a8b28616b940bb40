import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { BridgeError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { createFreshReads } from '../secrets/fresh-reads.ts';
import { type ClusterSecret, parseClusterSecret } from './cluster-secret.ts';
import { Shared } from './shared.ts';

const MAX_CLUSTERS = 20;
/** Addresses behind a name change, and a load balancer wants connections spread anew. */
const MAX_AGE_MS = 15 * 60_000;

type SecretMembers = Readonly<Record<string, string>>;

/** Connections to a cluster, kept warm: one `T` per cluster, as its record and its secret say. */
export interface ClusterPool<T extends { close(): Promise<void> }> {
  /** The one of now. Throws a `BridgeError` when the secret cannot be read. */
  acquire(cluster: RocketmqClusterRecord): Promise<Shared<T>>;
  /**
   * After the cluster refused the credentials of one: another with another secret, if there is one. Reads the secret past
   * every cache, at most every 30 s.
   */
  afterRefusal(cluster: RocketmqClusterRecord, refused: Shared<T>): Promise<Shared<T> | undefined>;
  /** Does this with the one of now; when the credentials are refused and there are others, once more with those. */
  run<R>(cluster: RocketmqClusterRecord, work: (value: T) => Promise<R>): Promise<R>;
  close(): Promise<void>;
}

/**
 * Made anew when the cluster's record or its secret changed, or after 15 minutes; the old one is closed when its last use
 * has ended. At most 20: the one used longest ago goes first.
 */
export function createClusterPool<T extends { close(): Promise<void> }>(options: {
  secrets: SecretReader;
  clock: Clock;
  create(cluster: RocketmqClusterRecord, secret: ClusterSecret): T;
}): ClusterPool<T> {
  const { secrets, clock, create } = options;
  const pool = new Map<string, Shared<T>>();
  const freshReads = createFreshReads(clock);
  let closed = false;

  async function acquire(cluster: RocketmqClusterRecord, fresh: boolean): Promise<Shared<T>> {
    const members = await readSecret(cluster, fresh);
    if (closed) throw new Error('the pool of connections to RocketMQ is closed');
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

  /** Undefined: the secret store is away, and what is at hand does meanwhile. */
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

  function isCurrent({ origin }: Shared<T>, cluster: RocketmqClusterRecord): boolean {
    return origin.version === cluster.version && clock.now() - origin.madeAtMs < MAX_AGE_MS;
  }

  function make(cluster: RocketmqClusterRecord, members: SecretMembers): Shared<T> {
    const value = create(cluster, parseClusterSecret(members));
    const secret = JSON.stringify(members);
    return new Shared(value, { version: cluster.version, secret, madeAtMs: clock.now() });
  }

  function keep(clusterId: string, shared: Shared<T>): void {
    void keepRecent(pool, clusterId, shared, MAX_CLUSTERS)?.retire();
  }

  async function afterRefusal(cluster: RocketmqClusterRecord, refused: Shared<T>) {
    const current = pool.get(cluster.clusterId);
    if (current !== undefined && current.origin.secret !== refused.origin.secret) return current;
    if (cluster.secretRef === undefined || !freshReads.take(cluster.clusterId)) return undefined;
    const read = await acquire(cluster, true);
    return read.origin.secret === refused.origin.secret ? undefined : read;
  }

  return {
    acquire: (cluster) => acquire(cluster, false),
    afterRefusal,
    async run(cluster, work) {
      const shared = await acquire(cluster, false);
      try {
        return await shared.use(work);
      } catch (error) {
        if (!(error instanceof BridgeError) || error.code !== 'CREDENTIALS_REFUSED') throw error;
        const rotated = await afterRefusal(cluster, shared);
        if (rotated === undefined) throw error;
        return rotated.use(work);
      }
    },
    async close() {
      closed = true;
      await Promise.all([...pool.values()].map((shared) => shared.retire()));
      pool.clear();
    },
  };
}

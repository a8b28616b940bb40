import type { RocketmqClusterRecord } from '../../domain/cluster.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RocketmqAdmins } from '../../ports/rocketmq-admin.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { parseClusterSecret } from '../rocketmq/cluster-secret.ts';
import type { RocketmqCredentials } from '../rocketmq/metadata.ts';
import { createRemotingAdmin } from './remoting-admin.ts';

/** Credentials that stay refused must not turn every call into a read of the secret. */
const FRESH_SECRET_INTERVAL_MS = 30_000;
const MAX_REMEMBERED = 200;

/**
 * Administration of clusters that name their name server. When a broker refuses the credentials, the secret is read again past
 * every cache, at most every 30 s for each cluster, and the call is made once more.
 */
export function createRocketmqAdmins({
  secrets,
  clock,
  timeoutMs,
}: {
  secrets: SecretReader;
  clock: Clock;
  /** Of a single call. */
  timeoutMs?: number;
}): RocketmqAdmins {
  const freshReads = new Map<string, number>();

  async function credentialsOf(
    { secretRef }: RocketmqClusterRecord,
    fresh: boolean,
  ): Promise<RocketmqCredentials | undefined> {
    return secretRef === undefined
      ? undefined
      : parseClusterSecret(await secrets.read(secretRef, { fresh })).credentials;
  }

  async function renewed(cluster: RocketmqClusterRecord): Promise<RocketmqCredentials | undefined> {
    const now = clock.now();
    const lastRead = freshReads.get(cluster.clusterId) ?? Number.NEGATIVE_INFINITY;
    if (now - lastRead < FRESH_SECRET_INTERVAL_MS) return undefined;
    keepRecent(freshReads, cluster.clusterId, now, MAX_REMEMBERED);
    return credentialsOf(cluster, true);
  }

  return {
    async adminOf(cluster) {
      const { nameServer, namespace } = cluster;
      if (nameServer === undefined) return undefined;
      return createRemotingAdmin({
        nameServer,
        namespace,
        clock,
        timeoutMs,
        credentials: await credentialsOf(cluster, false),
        renewCredentials: () => renewed(cluster),
      });
    },
  };
}

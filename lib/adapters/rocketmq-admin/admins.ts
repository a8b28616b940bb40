import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RocketmqAdmins } from '../../ports/rocketmq-admin.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { parseClusterSecret } from '../rocketmq/cluster-secret.ts';
import type { RocketmqCredentials } from '../rocketmq/metadata.ts';
import { createFreshReads } from '../secrets/fresh-reads.ts';
import { createRemotingAdmin } from './remoting-admin.ts';

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
  const freshReads = createFreshReads(clock);

  async function credentialsOf(
    { secretRef }: RocketmqClusterRecord,
    fresh: boolean,
  ): Promise<RocketmqCredentials | undefined> {
    return secretRef === undefined
      ? undefined
      : parseClusterSecret(await secrets.read(secretRef, { fresh })).credentials;
  }

  async function renewed(cluster: RocketmqClusterRecord): Promise<RocketmqCredentials | undefined> {
    return freshReads.take(cluster.clusterId) ? credentialsOf(cluster, true) : undefined;
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

import type { Clock } from '../../ports/clock.ts';
import type { MqttClusterRecord, MqttPublisher, MqttPublishers } from '../../ports/mqtt-publisher.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { createFreshReads } from '../secrets/fresh-reads.ts';
import { parseMqttSecret } from './mqtt-secret.ts';
import { MqttBrokerPublisher, type MqttBrokerPublisherOptions } from './publisher.ts';
import { createRotatingPublisher } from './rotating-publisher.ts';

type BrokerRecord = Extract<MqttClusterRecord, { kind: 'mqtt' }>;

export interface MqttPublishersOptions {
  secrets: SecretReader;
  clock: Clock;
  /** Where clusters of kind `aws-iot` are published to. */
  awsIot: { inRegion(region: string): MqttPublisher; close(): void };
  /** For tests. */
  createPublisher?: (options: MqttBrokerPublisherOptions) => MqttPublisher;
}

/**
 * Publishers by the kind of the cluster. When a broker refuses the credentials, the secret is read again, past every cache at
 * most every 30 s for each cluster.
 */
export function createMqttPublishers(options: MqttPublishersOptions): MqttPublishers {
  const { secrets, clock, awsIot } = options;
  const createPublisher = options.createPublisher ?? ((given) => new MqttBrokerPublisher(given));
  const freshReads = createFreshReads(clock);
  const open = new Set<MqttPublisher>();

  async function openBroker(cluster: BrokerRecord, clientId: string): Promise<MqttPublisher> {
    const { secretRef, clusterId } = cluster;
    const read = async (fresh: boolean) =>
      secretRef === undefined ? {} : secrets.read(secretRef, { fresh });
    return createRotatingPublisher({
      members: await read(false),
      make: (members) => createPublisher({ cluster, secret: parseMqttSecret(members), clientId, clock }),
      // Where it is not time yet, another publisher of the cluster has just filled the cache.
      renew: () => read(freshReads.take(clusterId)),
    });
  }

  return {
    async open(cluster, { clientId }) {
      const publisher =
        cluster.kind === 'mqtt' ? await openBroker(cluster, clientId) : awsIot.inRegion(cluster.region);
      open.add(publisher);
      return {
        publish: (message, publishOptions) => publisher.publish(message, publishOptions),
        check: (deadlineMs) => publisher.check(deadlineMs),
        async close() {
          open.delete(publisher);
          await publisher.close();
        },
      };
    },
    async close() {
      await Promise.all([...open].map((publisher) => publisher.close()));
      open.clear();
      awsIot.close();
    },
  };
}

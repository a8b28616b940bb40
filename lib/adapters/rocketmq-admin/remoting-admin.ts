import type { Clock } from '../../ports/clock.ts';
import type { RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import { type BrokerClientOptions, createBrokerClient } from './broker-client.ts';
import { createBrokerNames } from './broker-names.ts';
import { createGroups } from './groups.ts';
import { createLag } from './lag.ts';
import { createPositions } from './positions.ts';
import { createTopics } from './topics.ts';

export interface RemotingAdminOptions extends BrokerClientOptions {
  namespace?: string | undefined;
  clock: Clock;
}

/**
 * The administration of an Apache RocketMQ by its remoting protocol, which brokers of version 5 still speak beside gRPC. Each
 * call is one short connection in plain text, to the name server or to a master that it names.
 */
export function createRemotingAdmin({ namespace, clock, ...options }: RemotingAdminOptions): RocketmqAdmin {
  const client = createBrokerClient(options);
  const parts = { client, names: createBrokerNames(namespace), clock };
  return {
    ...createTopics(parts),
    ...createGroups(parts),
    ...createPositions(parts),
    ...createLag(parts),
  };
}

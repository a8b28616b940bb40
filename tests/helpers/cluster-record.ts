import type { RocketmqClusterRecord } from '../../lib/domain/clusters/cluster.ts';

/** A registered cluster of kind `rocketmq`. */
export function rocketmqCluster(given: Partial<RocketmqClusterRecord> = {}): RocketmqClusterRecord {
  return {
    clusterId: 'business',
    kind: 'rocketmq',
    name: 'Business',
    region: 'eu-west-1',
    endpoint: 'rmq.example:8081',
    tls: false,
    multiMessage: 'auto',
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...given,
  };
}

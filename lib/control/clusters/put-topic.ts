import type { RegisteredTopic, RocketmqMessageType } from '../../domain/clusters/cluster.ts';
import type { Warning } from '../../domain/rules/definition-check.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import type { GetCluster } from './get-cluster.ts';
import { requireRocketmq, requireTopicName } from './rocketmq-topic.ts';

/**
 * Registers a topic of a RocketMQ cluster with its message type, or corrects the type. The cluster is not asked: at send
 * its route decides.
 *
 * Throws `RequestError`: 404 `CLUSTER_NOT_FOUND`, 400 `TOPICS_NEED_ROCKETMQ`, 400 `ROCKETMQ_TOPIC_INVALID`.
 */
export type PutTopic = (request: {
  clusterId: string;
  topic: string;
  type: RocketmqMessageType;
}) => Promise<{ topic: RegisteredTopic; created: boolean; warnings: Warning[] }>;

export function createPutTopic({
  clusters,
  getCluster,
  clock,
}: {
  clusters: Pick<ClusterStore, 'getTopic' | 'putTopic'>;
  getCluster: GetCluster;
  clock: Pick<Clock, 'now'>;
}): PutTopic {
  return async ({ clusterId, topic, type }) => {
    requireTopicName(topic);
    requireRocketmq(await getCluster(clusterId));
    const before = await clusters.getTopic(clusterId, topic);
    const { tasks, ...outcome } = await clusters.putTopic(clusterId, topic, type, {
      at: new Date(clock.now()).toISOString(),
    });
    const isChanged = before !== undefined && before.type !== type;
    return { ...outcome, warnings: isChanged && tasks > 0 ? [typeChanged(tasks, type)] : [] };
  };
}

/** Not refused: only a corrected type lets the tasks be corrected. */
function typeChanged(tasks: number, type: RocketmqMessageType): Warning {
  return {
    field: 'type',
    code: 'TOPIC_TYPE_OF_USED_TOPIC',
    message: `${tasks === 1 ? '1 task uses' : `${tasks} tasks use`} this topic: check that where they send to it a message group is given exactly where the type is FIFO; it is ${type} now`,
  };
}

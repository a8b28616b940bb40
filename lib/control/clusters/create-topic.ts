import type { RegisteredTopic, RocketmqMessageType } from '../../domain/clusters/cluster.ts';
import type { Warning } from '../../domain/rules/definition-check.ts';
import type { ClusterTopic } from '../../ports/rocketmq-admin.ts';
import { brokerAnswer } from './broker-answer.ts';
import type { GetCluster } from './get-cluster.ts';
import type { PutTopic } from './put-topic.ts';
import type { RequireAdmin } from './require-admin.ts';
import { requireRocketmq, requireTopicName } from './rocketmq-topic.ts';

/**
 * Creates a topic on its cluster and registers it. May be repeated: a topic that is there already, of the same type, is registered
 * as it is.
 *
 * Throws `RequestError`: 404 `CLUSTER_NOT_FOUND`, 400 `TOPICS_NEED_ROCKETMQ`, `ROCKETMQ_TOPIC_INVALID`, 409 `NO_ADMIN_PORT`,
 * `TOPIC_EXISTS` (of another type), 502, 503 or 504 with the code of the broker's refusal.
 */
export type CreateTopic = (request: {
  clusterId: string;
  topic: string;
  type: RocketmqMessageType;
  queues: number;
}) => Promise<{
  topic: RegisteredTopic;
  onCluster: ClusterTopic;
  /** It was not registered before. */
  created: boolean;
  warnings: Warning[];
}>;

export function createCreateTopic({
  getCluster,
  requireAdmin,
  putTopic,
}: {
  getCluster: GetCluster;
  requireAdmin: RequireAdmin;
  putTopic: PutTopic;
}): CreateTopic {
  return async ({ clusterId, topic, type, queues }) => {
    requireTopicName(topic);
    const cluster = requireRocketmq(await getCluster(clusterId));
    const remedy = `create the topic with the cluster's own tools or console, then PUT /clusters/${clusterId}/topics/${topic}`;
    const admin = await requireAdmin(cluster, remedy);
    const onCluster = await brokerAnswer(admin.createTopic({ topic, type, queues }));
    return { ...(await putTopic({ clusterId, topic, type })), onCluster };
  };
}

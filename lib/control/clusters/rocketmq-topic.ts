import type { Cluster, RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { RequestError } from '../../domain/errors/errors.ts';
import { checkRocketmqTopic } from '../../domain/topics/rocketmq-names.ts';

/** Throws `RequestError` 400 `ROCKETMQ_TOPIC_INVALID` for what can be no user's topic. */
export function requireTopicName(topic: string): void {
  const violation = checkRocketmqTopic(topic);
  if (violation === undefined) return;
  throw new RequestError(400, violation.code, violation.message, {
    errors: [{ field: 'topic', ...violation }],
  });
}

/** The cluster as the kind that has topics. Throws `RequestError` 400 `TOPICS_NEED_ROCKETMQ`. */
export function requireRocketmq(cluster: Cluster): RocketmqClusterRecord {
  const { kind, clusterId } = cluster;
  if (kind === 'rocketmq') return cluster;
  const message = `cluster ${clusterId} is of kind ${kind}: only topics of RocketMQ have a type and are registered`;
  throw new RequestError(400, 'TOPICS_NEED_ROCKETMQ', message, {
    errors: [{ field: 'clusterId', code: 'TOPICS_NEED_ROCKETMQ', message }],
  });
}

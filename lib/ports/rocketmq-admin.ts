import type { RocketmqClusterRecord, RocketmqMessageType } from '../domain/cluster.ts';

/** A topic as the cluster itself has it. */
export interface ClusterTopic {
  topic: string;
  /** `UNSPECIFIED`: made without a type, or one that we do not know (TRANSACTION, MIXED). */
  type: RocketmqMessageType | 'UNSPECIFIED';
  queues: number;
}

/** Where a consumer group starts to read. */
export type Position = 'latest' | 'earliest' | { timestampMs: number };

/** What a consumer group has not read yet. POP counts messages in flight as read: the caller adds its own. */
export interface ConsumerLag {
  messages: number;
  /** Epoch ms at which the oldest unread message was stored; absent when there is none, or the broker does not tell. */
  oldestStoredAtMs?: number;
}

/**
 * What RocketMQ does not offer over gRPC: the administration of topics, groups and positions. Throws `BridgeError`.
 */
export interface RocketmqAdmin {
  /** Without system topics, retry topics and dead-letter topics. */
  listTopics(): Promise<ClusterTopic[]>;
  /** Creates a topic on every broker; one that is there already with the same type is no error. */
  createTopic(spec: { topic: string; type: RocketmqMessageType; queues: number }): Promise<ClusterTopic>;
  /** Undefined: no such topic. */
  getTopic(topic: string): Promise<ClusterTopic | undefined>;
  /** Creates a group on every broker, or brings it to this form. `isOrderly`: needed to keep the order of FIFO topics. */
  ensureGroup(spec: { consumerGroup: string; isOrderly: boolean; retryMaxTimes: number }): Promise<void>;
  /** Deleting what is gone is no error. */
  deleteGroup(consumerGroup: string): Promise<void>;
  /** Moves a group. Must not be consuming. The group must exist. */
  resetPosition(change: { rocketmqTopic: string; consumerGroup: string; position: Position }): Promise<void>;
  lag(of: { rocketmqTopic: string; consumerGroup: string }): Promise<ConsumerLag>;
}

/** The admin adapter of a cluster; undefined: it has none (no `nameServer`). Throws a `BridgeError` when the secret cannot be read. */
export interface RocketmqAdmins {
  adminOf(cluster: RocketmqClusterRecord): Promise<RocketmqAdmin | undefined>;
}

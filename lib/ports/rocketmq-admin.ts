import type { RocketmqClusterRecord, RocketmqMessageType } from '../domain/clusters/cluster.ts';

/** A topic as the cluster itself has it. */
export interface ClusterTopic {
  topic: string;
  /** `UNSPECIFIED`: made without a type, or one that we do not know (TRANSACTION, MIXED). */
  type: RocketmqMessageType | 'UNSPECIFIED';
  /** On each broker; the most where brokers differ. */
  queues: number;
}

/** Where a consumer group starts to read. */
export type Position = 'latest' | 'earliest' | { timestampMs: number };

/** What a consumer group has not read yet. POP counts messages in flight of a NORMAL topic as read: the caller adds its own. */
export interface ConsumerLag {
  messages: number;
  /** Epoch ms at which the oldest unread message was stored; absent when there is none, or the broker does not tell. */
  oldestStoredAtMs?: number;
  /** What was handed out to the group: the sum of its offsets, and in how many queues it has one. */
  read: { position: number; queues: number };
}

/**
 * What RocketMQ does not offer over gRPC: the administration of topics, groups and positions. Throws `BridgeError`. Every call
 * ends within its own bound of seconds, and may be repeated.
 *
 * @example
 * const admin = await admins.adminOf(cluster);
 * await admin?.ensureGroup({ consumerGroup: 'mqferry_01J…', isOrderly: true, retryMaxTimes: 1_000 });
 */
export interface RocketmqAdmin {
  /** Without system topics, retry topics and dead-letter topics. */
  listTopics(): Promise<ClusterTopic[]>;
  /**
   * Creates a topic on every broker, and resolves when it can be routed to. One that is there already with the same type is
   * answered as it is; of another type: `TOPIC_EXISTS`.
   */
  createTopic(spec: { topic: string; type: RocketmqMessageType; queues: number }): Promise<ClusterTopic>;
  /** Undefined: no such topic. */
  getTopic(topic: string): Promise<ClusterTopic | undefined>;
  /** Creates a group on every broker, or brings it to this form. `isOrderly`: needed to keep the order of FIFO topics. */
  ensureGroup(spec: { consumerGroup: string; isOrderly: boolean; retryMaxTimes: number }): Promise<void>;
  /** Deleting what is gone is no error. */
  deleteGroup(consumerGroup: string): Promise<void>;
  /**
   * Moves a group on all queues of a topic. It must not be consuming. `TOPIC_NOT_FOUND`, `GROUP_NOT_FOUND`: neither is made here.
   * What was handed out before of a NORMAL topic and never acknowledged comes again all the same: POP keeps it for the group.
   */
  resetPosition(change: { rocketmqTopic: string; consumerGroup: string; position: Position }): Promise<void>;
  /** A group that never read, or does not exist, has read nothing. `TOPIC_NOT_FOUND`. */
  lag(of: { rocketmqTopic: string; consumerGroup: string }): Promise<ConsumerLag>;
}

/** The admin adapter of a cluster; undefined: it has none (no `nameServer`). Throws a `BridgeError` when the secret cannot be read. */
export interface RocketmqAdmins {
  adminOf(cluster: RocketmqClusterRecord): Promise<RocketmqAdmin | undefined>;
}

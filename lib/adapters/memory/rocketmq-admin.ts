import type { RocketmqMessageType } from '../../domain/clusters/cluster.ts';
import { type BridgeError, BrokerHoldError } from '../../domain/errors/errors.ts';
import type { ClusterTopic, Position, RocketmqAdmin, RocketmqAdmins } from '../../ports/rocketmq-admin.ts';

export interface MemoryGroup {
  isOrderly: boolean;
  retryMaxTimes: number;
}

/** The administration of a cluster in memory. A topic is one queue of store times, and a position is an index in it. */
export interface MemoryRocketmqAdmin extends RocketmqAdmin {
  readonly groups: ReadonlyMap<string, MemoryGroup>;
  /** As if messages had been stored at these times, ascending. */
  store(rocketmqTopic: string, storedAtMs: readonly number[]): void;
  /** The group reads up to so many. Answers how many it read. */
  read(rocketmqTopic: string, consumerGroup: string, max: number): number;
  /** From now on every call throws this; undefined: none any more. */
  fail(error: BridgeError | undefined): void;
}

interface MemoryTopic {
  spec: ClusterTopic;
  storedAtMs: number[];
  positions: Map<string, number>;
}

export function createMemoryRocketmqAdmin(
  topics: Readonly<Record<string, RocketmqMessageType>> = {},
): MemoryRocketmqAdmin {
  const known = new Map<string, MemoryTopic>();
  const groups = new Map<string, MemoryGroup>();
  let failure: BridgeError | undefined;

  const add = (spec: ClusterTopic): void => {
    known.set(spec.topic, { spec, storedAtMs: [], positions: new Map() });
  };
  const topicOf = (rocketmqTopic: string): MemoryTopic => {
    const topic = known.get(rocketmqTopic);
    if (topic === undefined) throw refusal('TOPIC_NOT_FOUND', `the cluster has no topic ${rocketmqTopic}`);
    return topic;
  };
  const reach = (): void => {
    if (failure !== undefined) throw failure;
  };
  for (const [topic, type] of Object.entries(topics)) add({ topic, type, queues: 4 });

  return {
    groups,
    store: (rocketmqTopic, storedAtMs) => {
      topicOf(rocketmqTopic).storedAtMs.push(...storedAtMs);
    },
    read: (rocketmqTopic, consumerGroup, max) => {
      const { storedAtMs, positions } = topicOf(rocketmqTopic);
      const from = positions.get(consumerGroup) ?? 0;
      const to = Math.min(storedAtMs.length, from + max);
      positions.set(consumerGroup, to);
      return to - from;
    },
    fail: (error) => {
      failure = error;
    },
    async listTopics() {
      reach();
      return [...known.values()].map(({ spec }) => ({ ...spec }));
    },
    async createTopic(spec) {
      reach();
      const before = known.get(spec.topic);
      if (before !== undefined && before.spec.type !== spec.type) {
        throw refusal('TOPIC_EXISTS', `topic ${spec.topic} is there already, of type ${before.spec.type}`);
      }
      if (before === undefined) add({ ...spec });
      return { ...topicOf(spec.topic).spec };
    },
    async getTopic(topic) {
      reach();
      const spec = known.get(topic)?.spec;
      return spec && { ...spec };
    },
    async ensureGroup({ consumerGroup, ...form }) {
      reach();
      groups.set(consumerGroup, form);
    },
    async deleteGroup(consumerGroup) {
      reach();
      groups.delete(consumerGroup);
      for (const { positions } of known.values()) positions.delete(consumerGroup);
    },
    async resetPosition({ rocketmqTopic, consumerGroup, position }) {
      reach();
      const { storedAtMs, positions } = topicOf(rocketmqTopic);
      if (!groups.has(consumerGroup)) {
        throw refusal('GROUP_NOT_FOUND', `the cluster has no consumer group ${consumerGroup}`);
      }
      positions.set(consumerGroup, indexOf(position, storedAtMs));
    },
    async lag({ rocketmqTopic, consumerGroup }) {
      reach();
      const { storedAtMs, positions } = topicOf(rocketmqTopic);
      const from = positions.get(consumerGroup) ?? 0;
      const oldestStoredAtMs = storedAtMs[from];
      return {
        messages: storedAtMs.length - from,
        ...(oldestStoredAtMs === undefined ? {} : { oldestStoredAtMs }),
        read: { position: from, queues: 1 },
      };
    },
  };
}

/** Every cluster that names a name server gets the same one. */
export function createMemoryRocketmqAdmins(admin: RocketmqAdmin): RocketmqAdmins {
  return { adminOf: async ({ nameServer }) => (nameServer === undefined ? undefined : admin) };
}

function indexOf(position: Position, storedAtMs: readonly number[]): number {
  if (position === 'earliest') return 0;
  if (position === 'latest') return storedAtMs.length;
  const index = storedAtMs.findIndex((time) => time >= position.timestampMs);
  return index < 0 ? storedAtMs.length : index;
}

function refusal(code: string, message: string): BridgeError {
  return new BrokerHoldError(message, { code, scope: 'topic' });
}

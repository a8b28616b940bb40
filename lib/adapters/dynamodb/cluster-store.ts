import { type Cluster, ClusterInput, type RegisteredTopic } from '../../domain/clusters/cluster.ts';
import {
  clusterInUse,
  clusterKindFixed,
  clusterNotFound,
  topicInUse,
  topicNotFound,
  versionMismatch,
} from '../../domain/errors/request-errors.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import { absent, all, any, type Condition, changing, conditional, equals, present } from './expressions.ts';
import { getItem, keysOf, listPage, partitionQuery } from './read.ts';
import {
  clusterKey,
  type Item,
  type Table,
  TYPE_INDEX,
  topicKey,
  typeIndexKey,
  withoutKeys,
} from './table.ts';
import { type Found, remove, transact, update } from './write.ts';

/** Every member that a cluster of any kind can have: what a replacement does not name is removed. */
const MEMBERS = new Set(ClusterInput.options.flatMap(({ shape }) => Object.keys(shape)));
const TOPIC = 'TOPIC#';

/** The table of clusters and registered topics on DynamoDB. */
export function createDynamoClusterStore(table: Table): ClusterStore {
  const requireCluster = async (clusterId: string): Promise<void> => {
    if ((await getItem(table, clusterKey(clusterId))) === undefined) throw clusterNotFound(clusterId);
  };

  /** What the partition still holds of a cluster that is gone; a topic registered meanwhile is left alone. */
  const purgeTopics = async (clusterId: string): Promise<void> => {
    for await (const { PK, SK, updatedAt } of keysOf(table, clusterKey(clusterId).PK, TOPIC)) {
      await remove(table, { Key: { PK, SK }, ...conditional(equals('updatedAt', updatedAt)) });
    }
  };

  return {
    async put(clusterId, input, { at, expectedVersion, onlyUnused }) {
      const given = Object.keys(input);
      const outcome = await update(table, {
        Key: clusterKey(clusterId),
        ...changing(
          {
            set: { ...input, ...typeIndexKey('CLUSTER', clusterId), clusterId, updatedAt: at },
            setOnce: { createdAt: at },
            remove: [...MEMBERS].filter((member) => !given.includes(member)),
            add: { version: 1, taskCount: 0 },
          },
          all(
            any(absent('PK'), equals('kind', input.kind)),
            ...versionConditions(expectedVersion),
            ...(onlyUnused === true ? [isUnused] : []),
          ),
        ),
      });
      if (outcome.ok) {
        const cluster = clusterOf(outcome.item);
        return { cluster, created: cluster.version === 1 };
      }
      checkVersion(clusterId, outcome.found, expectedVersion);
      if (outcome.found?.kind !== input.kind) throw clusterKindFixed(clusterId, String(outcome.found?.kind));
      throw clusterInUse(clusterId, Number(outcome.found.taskCount), 'delete them first');
    },

    async get(clusterId) {
      const item = await getItem(table, clusterKey(clusterId));
      return item && clusterOf(item);
    },

    list: ({ region, kind }, page) =>
      listPage(table, {
        list: 'clusters',
        query: {
          IndexName: TYPE_INDEX,
          KeyConditionExpression: 'GSI1PK = :type',
          ExpressionAttributeValues: { ':type': 'CLUSTER' },
        },
        page,
        toItem: clusterOf,
        positionOf: ({ GSI1SK }) => String(GSI1SK),
        keyAt: (clusterId) => ({ ...clusterKey(clusterId), ...typeIndexKey('CLUSTER', clusterId) }),
        ...(region === undefined && kind === undefined
          ? {}
          : {
              matches: (cluster: Cluster) =>
                (region === undefined || cluster.region === region) &&
                (kind === undefined || cluster.kind === kind),
            }),
      }),

    async delete(clusterId, { expectedVersion } = {}) {
      const outcome = await remove(table, {
        Key: clusterKey(clusterId),
        ...conditional(all(present('PK'), isUnused, ...versionConditions(expectedVersion))),
      });
      if (outcome.ok) return purgeTopics(clusterId);
      if (outcome.found === undefined) throw clusterNotFound(clusterId);
      checkVersion(clusterId, outcome.found, expectedVersion);
      throw clusterInUse(clusterId, Number(outcome.found.taskCount), 'delete them first');
    },

    async putTopic(clusterId, topic, type, { at }) {
      const before = await getItem(table, topicKey(clusterId, topic));
      await transact(table, [
        {
          item: { ConditionCheck: { Key: clusterKey(clusterId), ...conditional(present('PK')) } },
          refusal: () => clusterNotFound(clusterId),
        },
        {
          item: {
            Update: {
              Key: topicKey(clusterId, topic),
              ...changing({ set: { clusterId, topic, type, updatedAt: at }, setOnce: { createdAt: at } }),
            },
          },
        },
      ]);
      const createdAt = before === undefined ? at : String(before.createdAt);
      return {
        topic: { clusterId, topic, type, createdAt, updatedAt: at },
        created: before === undefined,
        tasks: Number(before?.taskCount ?? 0),
      };
    },

    async getTopic(clusterId, topic) {
      const item = await getItem(table, topicKey(clusterId, topic));
      return item && topicOf(item);
    },

    async listTopics(clusterId, page) {
      await requireCluster(clusterId);
      return listPage(table, {
        list: `topics/${clusterId}`,
        query: { ...partitionQuery(clusterKey(clusterId).PK, TOPIC), ConsistentRead: true },
        page,
        toItem: topicOf,
        positionOf: ({ topic }) => String(topic),
        keyAt: (topic) => topicKey(clusterId, topic),
      });
    },

    async deleteTopic(clusterId, topic) {
      const outcome = await remove(table, {
        Key: topicKey(clusterId, topic),
        ...conditional(all(present('PK'), isUnused)),
      });
      if (outcome.ok) return;
      if (outcome.found !== undefined) throw topicInUse(clusterId, topic, Number(outcome.found.taskCount));
      await requireCluster(clusterId);
      throw topicNotFound(clusterId, topic);
    },
  };
}

const isUnused: Condition = any(absent('taskCount'), equals('taskCount', 0));

function versionConditions(expectedVersion: number | undefined): Condition[] {
  return expectedVersion === undefined ? [] : [equals('version', expectedVersion)];
}

function checkVersion(clusterId: string, found: Found, expectedVersion: number | undefined): void {
  if (expectedVersion === undefined) return;
  if (found === undefined) throw clusterNotFound(clusterId);
  if (found.version !== expectedVersion) throw versionMismatch(`cluster ${clusterId}`, Number(found.version));
}

function clusterOf(item: Item): Cluster {
  const { taskCount: _, ...cluster } = withoutKeys(item);
  return cluster as unknown as Cluster;
}

function topicOf(item: Item): RegisteredTopic {
  const { taskCount: _, ...topic } = withoutKeys(item);
  return topic as unknown as RegisteredTopic;
}

import type { Cluster } from '../../domain/clusters/cluster.ts';
import {
  clusterInUse,
  clusterKindFixed,
  clusterNotFound,
  topicInUse,
  topicNotFound,
  versionMismatch,
} from '../../domain/errors/request-errors.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import { byKey, pageOf } from './page.ts';
import type { ClusterRecord, MemoryState } from './state.ts';

export function createMemoryClusterStore(state: MemoryState): ClusterStore {
  const recordOf = (clusterId: string): ClusterRecord => {
    const record = state.clusters.get(clusterId);
    if (record === undefined) throw clusterNotFound(clusterId);
    return record;
  };

  return {
    async put(clusterId, input, { at, expectedVersion, onlyUnused }) {
      const record = state.clusters.get(clusterId);
      checkVersion(clusterId, record, expectedVersion);
      if (record !== undefined && record.cluster.kind !== input.kind) {
        throw clusterKindFixed(clusterId, record.cluster.kind);
      }
      if (onlyUnused === true && record !== undefined && record.taskCount > 0) {
        throw clusterInUse(clusterId, record.taskCount, 'delete them first');
      }
      const cluster: Cluster = {
        ...structuredClone(input),
        clusterId,
        version: (record?.cluster.version ?? 0) + 1,
        createdAt: record?.cluster.createdAt ?? at,
        updatedAt: at,
      };
      if (record === undefined) state.clusters.set(clusterId, { cluster, taskCount: 0, topics: new Map() });
      else record.cluster = cluster;
      return { cluster: structuredClone(cluster), created: record === undefined };
    },

    async get(clusterId) {
      return structuredClone(state.clusters.get(clusterId)?.cluster);
    },

    async list({ region, kind }, page) {
      const clusters = [...state.clusters.values()]
        .map(({ cluster }) => cluster)
        .filter(
          (cluster) =>
            (region === undefined || cluster.region === region) &&
            (kind === undefined || cluster.kind === kind),
        )
        .sort(byKey(({ clusterId }) => clusterId));
      return pageOf('clusters', clusters, ({ clusterId }) => clusterId, page);
    },

    async delete(clusterId, { expectedVersion } = {}) {
      const record = recordOf(clusterId);
      checkVersion(clusterId, record, expectedVersion);
      if (record.taskCount > 0) throw clusterInUse(clusterId, record.taskCount, 'delete them first');
      state.clusters.delete(clusterId);
    },

    async putTopic(clusterId, topic, type, { at }) {
      const { topics } = recordOf(clusterId);
      const before = topics.get(topic);
      const registered = { clusterId, topic, type, createdAt: before?.topic.createdAt ?? at, updatedAt: at };
      const tasks = before?.taskCount ?? 0;
      topics.set(topic, { topic: registered, taskCount: tasks });
      return { topic: structuredClone(registered), created: before === undefined, tasks };
    },

    async getTopic(clusterId, topic) {
      return structuredClone(state.clusters.get(clusterId)?.topics.get(topic)?.topic);
    },

    async listTopics(clusterId, page) {
      const topics = [...recordOf(clusterId).topics.values()].map((record) => record.topic);
      return pageOf(
        `topics/${clusterId}`,
        topics.sort(byKey(({ topic }) => topic)),
        ({ topic }) => topic,
        page,
      );
    },

    async deleteTopic(clusterId, topic) {
      const { topics } = recordOf(clusterId);
      const record = topics.get(topic);
      if (record === undefined) throw topicNotFound(clusterId, topic);
      if (record.taskCount > 0) throw topicInUse(clusterId, topic, record.taskCount);
      topics.delete(topic);
    },
  };
}

function checkVersion(
  clusterId: string,
  record: ClusterRecord | undefined,
  expected: number | undefined,
): void {
  if (expected === undefined) return;
  if (record === undefined) throw clusterNotFound(clusterId);
  if (record.cluster.version === expected) return;
  throw versionMismatch(`cluster ${clusterId}`, record.cluster.version);
}

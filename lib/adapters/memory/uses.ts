import {
  clusterChanged,
  clusterNotFound,
  concurrencyExhausted,
  topicNotFound,
} from '../../domain/errors/request-errors.ts';
import { rocketmqClusterIdOf } from '../../domain/tasks/rocketmq-end.ts';
import type { NewTask } from '../../ports/task-store.ts';
import type { ClusterRecord, MemoryState, TopicRecord, Uses } from './state.ts';

export function usesOf(
  task: Pick<NewTask, 'definition' | 'sourceRegion'> & { rocketmqTopic?: string | undefined },
): Uses {
  return {
    sourceClusterId: task.definition.source.clusterId,
    sourceRegion: task.sourceRegion,
    targetClusterId: task.definition.target.clusterId,
    ...(task.rocketmqTopic === undefined
      ? {}
      : {
          rocketmqTopic: { clusterId: rocketmqClusterIdOf(task.definition), topic: task.rocketmqTopic },
        }),
  };
}

/** The records whose use is counted. Throws when one is missing, or when the source has moved to another region. */
export function usedRecords(state: MemoryState, uses: Uses): Array<ClusterRecord | TopicRecord> {
  const source = clusterRecord(state, uses.sourceClusterId);
  if (source.cluster.region !== uses.sourceRegion) throw clusterChanged(uses.sourceClusterId);
  const target = clusterRecord(state, uses.targetClusterId);
  if (uses.rocketmqTopic === undefined) return [source, target];
  const { clusterId, topic } = uses.rocketmqTopic;
  const record = clusterRecord(state, clusterId).topics.get(topic);
  if (record === undefined) throw topicNotFound(clusterId, topic);
  return [source, target, record];
}

/** Takes units of the stack's concurrency; negative gives back, which is never refused. */
export function reserveUnits(state: MemoryState, units: number, limit: number): void {
  if (units > 0 && state.usedConcurrency + units > limit) {
    throw concurrencyExhausted(units, Math.max(0, limit - state.usedConcurrency), limit);
  }
  state.usedConcurrency += units;
}

function clusterRecord(state: MemoryState, clusterId: string): ClusterRecord {
  const record = state.clusters.get(clusterId);
  if (record === undefined) throw clusterNotFound(clusterId);
  return record;
}

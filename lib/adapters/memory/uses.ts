import {
  clusterChanged,
  clusterNotFound,
  concurrencyExhausted,
  topicNotFound,
} from '../../domain/request-errors.ts';
import type { NewTask } from '../../ports/task-store.ts';
import type { ClusterRecord, MemoryState, TopicRecord, Uses } from './state.ts';

export function usesOf(
  task: Pick<NewTask, 'definition' | 'sourceRegion'> & { targetTopic?: string | undefined },
): Uses {
  return {
    sourceClusterId: task.definition.source.clusterId,
    sourceRegion: task.sourceRegion,
    targetClusterId: task.definition.target.clusterId,
    ...(task.targetTopic === undefined ? {} : { targetTopic: task.targetTopic }),
  };
}

/** The records whose use is counted. Throws when one is missing, or when the source has moved to another region. */
export function usedRecords(state: MemoryState, uses: Uses): Array<ClusterRecord | TopicRecord> {
  const source = clusterRecord(state, uses.sourceClusterId);
  if (source.cluster.region !== uses.sourceRegion) throw clusterChanged(uses.sourceClusterId);
  const target = clusterRecord(state, uses.targetClusterId);
  if (uses.targetTopic === undefined) return [source, target];
  const topic = target.topics.get(uses.targetTopic);
  if (topic === undefined) throw topicNotFound(uses.targetClusterId, uses.targetTopic);
  return [source, target, topic];
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

import type { Cluster } from '../../domain/clusters/cluster.ts';
import { type BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RosterEntry } from '../../ports/shifts.ts';
import type { ClusterReader, LaneTasks } from '../../ports/task-reader.ts';
import { withTimeout } from '../with-timeout.ts';

const READ_TIMEOUT_MS = 5_000;
/** How old a cluster's record may be: a rotated secret or certificate is in effect after that. */
const CLUSTER_TTL_MS = 10_000;
const MAX_CLUSTERS = 200;

/** A task and its two ends, as they are now. */
export interface LaneEnds {
  task: Task;
  source: Cluster;
  target: Cluster;
}

export interface LaneEndsReader {
  /**
   * Throws a `BridgeError` when the task or a cluster is gone, or the table does not answer.
   *
   * @param entry.mode - `end` ends what an earlier definition has at its source: that of `entry.version`
   */
  read(entry: Pick<RosterEntry, 'taskId' | 'version' | 'mode'>): Promise<LaneEnds>;
  /** Whether a cluster's record is another one by now. Answers false when the table does not answer. */
  haveChanged(ends: LaneEnds): Promise<boolean>;
}

/** Reads what lanes work with. The clusters are shared by all lanes of a shift and read at most every 10 s. */
export function createLaneEnds({
  tasks,
  clusters,
  clock,
}: {
  tasks: Pick<LaneTasks, 'get' | 'getRevision'>;
  clusters: ClusterReader;
  clock: Pick<Clock, 'now'>;
}): LaneEndsReader {
  const known = new Map<string, { cluster: Promise<Cluster | undefined>; readAtMs: number }>();

  function clusterOf(clusterId: string): Promise<Cluster | undefined> {
    const nowMs = clock.now();
    const found = known.get(clusterId);
    if (found !== undefined && nowMs - found.readAtMs < CLUSTER_TTL_MS) return found.cluster;
    const entry = { cluster: read(clusters.get(clusterId)), readAtMs: nowMs };
    keepRecent(known, clusterId, entry, MAX_CLUSTERS);
    entry.cluster.catch(() => {
      if (known.get(clusterId) === entry) known.delete(clusterId);
    });
    return entry.cluster;
  }

  async function taskOf({
    taskId,
    version,
    mode,
  }: Pick<RosterEntry, 'taskId' | 'version' | 'mode'>): Promise<Task> {
    const task = await read(tasks.get(taskId));
    if (task === undefined) throw taskMissing();
    if (mode !== 'end' || task.version === version) return task;
    const revision = await read(tasks.getRevision(taskId, version));
    return revision === undefined ? task : { ...task, definition: revision.definition, version };
  }

  return {
    async read(entry) {
      const task = await taskOf(entry);
      const { source, target } = task.definition;
      const [sourceCluster, targetCluster] = await Promise.all([
        clusterOf(source.clusterId),
        clusterOf(target.clusterId),
      ]);
      if (sourceCluster === undefined) throw clusterMissing(source.clusterId);
      if (targetCluster === undefined) throw clusterMissing(target.clusterId);
      return { task, source: sourceCluster, target: targetCluster };
    },

    async haveChanged({ source, target }) {
      try {
        const now = await Promise.all([clusterOf(source.clusterId), clusterOf(target.clusterId)]);
        return now[0]?.version !== source.version || now[1]?.version !== target.version;
      } catch {
        // The next look tells.
        return false;
      }
    },
  };
}

async function read<T>(reading: Promise<T>): Promise<T> {
  const boxed = reading
    .then((value) => ({ value }))
    .catch((cause: unknown) => Promise.reject(tableAway(cause)));
  const answer = await withTimeout(boxed, READ_TIMEOUT_MS);
  if (answer === undefined) throw tableAway(undefined);
  return answer.value;
}

function tableAway(cause: unknown): BridgeError {
  return new BrokerUnavailableError('reading task and clusters: the table did not answer', {
    code: 'TABLE_UNAVAILABLE',
    cause,
  });
}

function taskMissing(): BridgeError {
  return new BrokerUnavailableError('the task does not exist any more', { code: 'TASK_NOT_FOUND' });
}

function clusterMissing(clusterId: string): BridgeError {
  return new BrokerHoldError(`cluster ${clusterId} is not registered`, {
    code: 'CLUSTER_NOT_FOUND',
    scope: 'cluster',
    hint: 'Register the cluster again, or give the task another one.',
  });
}

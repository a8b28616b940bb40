import type { Cluster, ClusterInput } from '../../domain/clusters/cluster.ts';
import { addressFaults } from '../../domain/clusters/cluster-address.ts';
import { addressNotAllowed, clusterInUse } from '../../domain/errors/request-errors.ts';
import type { Warning } from '../../domain/rules/definition-check.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import { tasksOfCluster } from '../tasks/tasks-of-cluster.ts';

/**
 * Registers a cluster, or replaces what is registered.
 *
 * Of a used cluster, name, description, secret, name server and the like may change at any time, since functions read it
 * anew. What says *where* it is may not change under a running task, which would be an edit of that task; and the region of
 * an `aws-iot` cluster not while any task uses it, since its rules live there. The kind never changes.
 *
 * Nothing at this machine or at metadata of its cloud is a cluster, but on the local stack.
 *
 * Throws `RequestError`: 400 `ADDRESS_NOT_ALLOWED`, 409 `KIND_FIXED`, `CLUSTER_IN_USE` (extension `tasks`), 412 `VERSION_MISMATCH`, 404 `CLUSTER_NOT_FOUND`
 * (a version was expected of nothing).
 */
export type PutCluster = (request: {
  clusterId: string;
  input: ClusterInput;
  expectedVersion?: number | undefined;
}) => Promise<{ cluster: Cluster; created: boolean; warnings: Warning[] }>;

export function createPutCluster({
  clusters,
  tasks,
  clock,
  allowLocalAddresses = false,
}: {
  clusters: Pick<ClusterStore, 'get' | 'put'>;
  tasks: Pick<TaskStore, 'list'>;
  clock: Pick<Clock, 'now'>;
  allowLocalAddresses?: boolean;
}): PutCluster {
  const countRunning = async (clusterId: string): Promise<number> => {
    const { items, isComplete } = await tasksOfCluster(tasks, clusterId);
    const running = items.filter(({ desired }) => desired === 'running').length;
    // Of more tasks than one can look at some run.
    return isComplete ? running : Math.max(running, 1);
  };

  return async ({ clusterId, input, expectedVersion }) => {
    const faults = allowLocalAddresses ? [] : addressFaults(input);
    if (faults.length > 0) throw addressNotAllowed(faults);
    const before = await clusters.get(clusterId);
    const moves = before !== undefined && before.kind === input.kind && placeOf(before) !== placeOf(input);
    const running = moves && input.kind !== 'aws-iot' ? await countRunning(clusterId) : 0;
    if (running > 0) throw clusterInUse(clusterId, running, 'pause them before you change its address');
    const { cluster, created } = await clusters.put(clusterId, input, {
      at: new Date(clock.now()).toISOString(),
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
      ...(moves && input.kind === 'aws-iot' ? { onlyUnused: true } : {}),
    });
    return { cluster, created, warnings: warningsOf(input) };
  };
}

/** Where a cluster is, as far as messages go there or come from there. */
function placeOf(cluster: ClusterInput): string {
  switch (cluster.kind) {
    case 'aws-iot':
      return cluster.region;
    case 'mqtt':
      return cluster.url;
    case 'rocketmq':
      return JSON.stringify([cluster.endpoint, cluster.namespace]);
  }
}

function warningsOf(cluster: ClusterInput): Warning[] {
  if (cluster.kind === 'rocketmq' && !cluster.tls) return [notEncrypted('tls', 'set it to true')];
  if (cluster.kind === 'mqtt' && /^(mqtt|ws):/.test(cluster.url)) {
    return [notEncrypted('url', 'use mqtts:// or wss://')];
  }
  return [];
}

function notEncrypted(field: string, remedy: string): Warning {
  return {
    field,
    code: 'NOT_ENCRYPTED',
    message: `messages and credentials travel in the clear: ${remedy}, unless the network is your own`,
  };
}

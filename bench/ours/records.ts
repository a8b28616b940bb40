import { type Cluster, ClusterInput, type RocketmqClusterRecord } from '../../lib/domain/clusters/cluster.ts';
import { type Task, TaskDefinition, type TaskDirection } from '../../lib/domain/tasks/task.ts';

export const TASK_ID = '01JD4YQ3V8F0G2H4J6K8M0N2P4';
/** Name of the secret with user and password of the MQTT broker. */
export const MQTT_SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:bench-mqtt';

const AT = new Date(0).toISOString();
const REGION = 'eu-west-1';

export function rocketmqCluster(options: { endpoint: string; nameServer?: string }): RocketmqClusterRecord {
  const cluster = clusterOf('business', { kind: 'rocketmq', ...options });
  if (cluster.kind !== 'rocketmq') throw new Error('not a record of RocketMQ');
  return cluster;
}

export function mqttCluster({ url }: { url: string }): Cluster {
  return clusterOf('devices', { kind: 'mqtt', url, secretRef: MQTT_SECRET });
}

function clusterOf(clusterId: string, fields: object): Cluster {
  const input = ClusterInput.parse({ name: clusterId, region: REGION, ...fields });
  return { ...input, clusterId, version: 1, createdAt: AT, updatedAt: AT };
}

/** A running task; source and target as in a definition, without their clusters. */
export function benchTask(
  direction: TaskDirection,
  parts: { source: object; target: object; options?: object },
): Task {
  const [source, target] =
    direction === 'mqtt-to-rocketmq' ? ['devices', 'business'] : ['business', 'devices'];
  return {
    taskId: TASK_ID,
    definition: TaskDefinition.parse({
      taskName: 'bench',
      source: { clusterId: source, ...parts.source },
      target: { clusterId: target, ...parts.target },
      ...(parts.options === undefined ? {} : { options: parts.options }),
    }),
    direction,
    sourceRegion: REGION,
    desired: 'running',
    status: 'running',
    version: 1,
    createdAt: AT,
    updatedAt: AT,
    resources: { rules: {}, rulesVersion: 1, rulesSettledAtMs: 0 },
  };
}

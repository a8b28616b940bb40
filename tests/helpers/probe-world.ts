import {
  createMemoryRocketmqAdmin,
  createMemoryRocketmqAdmins,
} from '../../lib/adapters/memory/rocketmq-admin.ts';
import { createCreateTopic } from '../../lib/control/clusters/create-topic.ts';
import { createGetCluster } from '../../lib/control/clusters/get-cluster.ts';
import { createListTopics } from '../../lib/control/clusters/list-topics.ts';
import { createRequireAdmin } from '../../lib/control/clusters/require-admin.ts';
import { createGetLag } from '../../lib/control/tasks/get-lag.ts';
import { createGetPullTask } from '../../lib/control/tasks/get-pull-task.ts';
import { createResetPosition } from '../../lib/control/tasks/reset-position.ts';
import { ClusterInput } from '../../lib/domain/clusters/cluster.ts';
import type { TaskStatus } from '../../lib/domain/tasks/task.ts';
import type { RocketmqAdmins } from '../../lib/ports/rocketmq-admin.ts';
import { createControlWorld } from './control-world.ts';
import { business, definitionWith, newTaskWith } from './tasks.ts';

/** Every use case of the API that reaches brokers, on memory stores. `business` names no name server until `openAdmin`. */
export async function createProbeWorld({ admins, nameServer }: ProbeWorldOptions = {}) {
  const world = await createControlWorld();
  const { clusters, tasks, clock, getTask, putTopic } = world;
  const admin = createMemoryRocketmqAdmin();
  const ports = { clusters, admins: admins ?? createMemoryRocketmqAdmins(admin) };
  const getCluster = createGetCluster({ clusters });
  const requireAdmin = createRequireAdmin(ports);
  const getPullTask = createGetPullTask({ getTask, getCluster });
  return {
    ...world,
    admin,
    listTopics: createListTopics(ports),
    createTopic: createCreateTopic({ getCluster, requireAdmin, putTopic }),
    resetPosition: createResetPosition({ tasks, getPullTask, requireAdmin, clock }),
    getLag: createGetLag({ getPullTask, requireAdmin, clock }),

    async openAdmin(): Promise<void> {
      const at = new Date(clock.now()).toISOString();
      const input = ClusterInput.parse({ ...business, nameServer: nameServer ?? 'rmq.example:9876' });
      await clusters.put('business', input, { at });
    },

    /** A task from `charger_commands` on `business` to `devices`, of this status. */
    async addPullTask(source: object = {}, status: TaskStatus = 'paused'): Promise<string> {
      const { task } = await tasks.create(
        newTaskWith({
          definition: definitionWith({
            source: { clusterId: 'business', topic: 'charger_commands', ...source },
            target: { clusterId: 'devices', topic: 'stations/${key}/commands' },
          }),
          direction: 'rocketmq-to-mqtt',
          desired: status === 'running' ? 'running' : 'paused',
        }),
      );
      await world.settle(task.taskId, status);
      return task.taskId;
    },
  };
}
export type ProbeWorld = Awaited<ReturnType<typeof createProbeWorld>>;

export interface ProbeWorldOptions {
  /** Of a real cluster; without it, that in memory. */
  admins?: RocketmqAdmins;
  nameServer?: string;
}

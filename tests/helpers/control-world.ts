import { createMemoryControlQueue } from '../../lib/adapters/memory/control-queue.ts';
import { createGetCluster } from '../../lib/control/clusters/get-cluster.ts';
import { createPutCluster } from '../../lib/control/clusters/put-cluster.ts';
import { createPutTopic } from '../../lib/control/clusters/put-topic.ts';
import { createCheckTask } from '../../lib/control/tasks/check-task.ts';
import { createCountBacklog } from '../../lib/control/tasks/count-backlog.ts';
import { createCreateTask } from '../../lib/control/tasks/create-task.ts';
import { createDeleteTask } from '../../lib/control/tasks/delete-task.ts';
import { createEditTask } from '../../lib/control/tasks/edit-task.ts';
import { createGetTask } from '../../lib/control/tasks/get-task.ts';
import { createPauseTask } from '../../lib/control/tasks/pause-task.ts';
import { createStackGuard } from '../../lib/control/tasks/stack-guard.ts';
import { createStartTask } from '../../lib/control/tasks/start-task.ts';
import { createWakeConverge } from '../../lib/control/tasks/wake-converge.ts';
import { TaskDefinition, type TaskStatus } from '../../lib/domain/tasks/task.ts';
import type { QueueBacklog, QueueCounter } from '../../lib/ports/task-queues.ts';
import { buildMemoryStores } from './memory-stores.ts';
import { registerClusters } from './tasks.ts';

const QUEUE = {
  url: 'https://sqs.example/queue',
  arn: 'arn:aws:sqs:eu-west-1:123456789012:queue',
  specHash: 'h',
};

/** A queue counter that answers what a test says. */
export interface FakeQueueCounter extends QueueCounter {
  set(backlog: QueueBacklog | Error | undefined): void;
}

/** Every use case of the API on memory stores, with both clusters of the main task registered. */
export async function createControlWorld({ ruleConcurrency = 100 }: { ruleConcurrency?: number } = {}) {
  const stores = await buildMemoryStores();
  const { tasks, clusters, stack, clock } = stores;
  await registerClusters(clusters);
  const controlQueue = createMemoryControlQueue();
  const queueCounter = createFakeQueueCounter();
  const warnings: string[] = [];
  const silent = () => undefined;
  const logger = {
    debug: silent,
    info: silent,
    error: silent,
    warn: (message: string) => void warnings.push(message),
  };
  const guardStack = createStackGuard({ stack, ruleConcurrency });
  const wakeConverge = createWakeConverge({ controlQueue, logger });
  const checkTask = createCheckTask({ clusters, tasks, allowedTopicPrefixes: [] });
  const getTask = createGetTask({ tasks });
  const getCluster = createGetCluster({ clusters });
  const countBacklog = createCountBacklog({ queueCounter });

  return {
    ...stores,
    controlQueue,
    queueCounter,
    /** What was logged as a warning. */
    logged: warnings,
    guardStack,
    checkTask,
    getTask,
    countBacklog,
    createTask: createCreateTask({ tasks, checkTask, guardStack, wakeConverge, clock }),
    editTask: createEditTask({
      tasks,
      getTask,
      checkTask,
      countBacklog,
      guardStack,
      wakeConverge,
      clock,
      parseDefinition: (merged) => TaskDefinition.parse(merged),
    }),
    startTask: createStartTask({ tasks, guardStack, wakeConverge, clock }),
    pauseTask: createPauseTask({ tasks, wakeConverge, clock }),
    deleteTask: createDeleteTask({ tasks, getTask, countBacklog, wakeConverge, clock }),
    putCluster: createPutCluster({ clusters, tasks, clock }),
    putTopic: createPutTopic({ clusters, getCluster, clock }),

    /** Does to a task what converge would: its queue is there, its status so. */
    async settle(taskId: string, status: TaskStatus): Promise<void> {
      const lease = await tasks.acquireLease(taskId, 'converge', 60_000);
      if (lease === undefined) throw new Error(`task ${taskId} is leased already`);
      await tasks.saveProgress(lease, { status, resources: { queue: QUEUE, rules: {} } });
      await tasks.releaseLease(lease);
    },
  };
}
export type ControlWorld = Awaited<ReturnType<typeof createControlWorld>>;

function createFakeQueueCounter(): FakeQueueCounter {
  let answer: QueueBacklog | Error | undefined = { waiting: 0, inFlight: 0 };
  return {
    set(backlog) {
      answer = backlog;
    },
    async backlog() {
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

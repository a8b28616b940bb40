import { createMemoryDeadLetterJobs } from '../../lib/adapters/memory/dead-letter-jobs.ts';
import { createMemoryDeadLetterStore } from '../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import { clusterOperations } from '../../lib/api/cluster-operations.ts';
import { CLUSTER_ROUTES } from '../../lib/api/cluster-routes.ts';
import { deadLetterOperations } from '../../lib/api/dead-letter-operations.ts';
import { DEAD_LETTER_ROUTES } from '../../lib/api/dead-letter-routes.ts';
import { parseDefinition } from '../../lib/api/parse-definition.ts';
import { probeOperations } from '../../lib/api/probe-operations.ts';
import { PROBE_ROUTES } from '../../lib/api/probe-routes.ts';
import { taskOperations } from '../../lib/api/task-operations.ts';
import { TASK_ROUTES } from '../../lib/api/task-routes.ts';
import { createDeleteCluster } from '../../lib/control/clusters/delete-cluster.ts';
import { createDeleteTopic } from '../../lib/control/clusters/delete-topic.ts';
import { createGetCluster } from '../../lib/control/clusters/get-cluster.ts';
import { createGetTopic } from '../../lib/control/clusters/get-topic.ts';
import { createListClusters } from '../../lib/control/clusters/list-clusters.ts';
import { createCreateDeadLetterJob } from '../../lib/control/dead-letters/create-dead-letter-job.ts';
import { createGetDeadLetter } from '../../lib/control/dead-letters/get-dead-letter.ts';
import { createGetDeadLetterJob } from '../../lib/control/dead-letters/get-dead-letter-job.ts';
import { createListDeadLetterJobs } from '../../lib/control/dead-letters/list-dead-letter-jobs.ts';
import { createListDeadLetters } from '../../lib/control/dead-letters/list-dead-letters.ts';
import { createSummarizeDeadLetters } from '../../lib/control/dead-letters/summarize-dead-letters.ts';
import { createEditTask } from '../../lib/control/tasks/edit-task.ts';
import { createListEvents } from '../../lib/control/tasks/list-events.ts';
import { createListRevisions } from '../../lib/control/tasks/list-revisions.ts';
import { createListTasks } from '../../lib/control/tasks/list-tasks.ts';
import { createApi } from '../../lib/middleware/create-api.ts';
import type { InvocationLogger } from '../../lib/ports/logger.ts';
import { type ApiAnswer, type ApiCall, invokeApi } from './api-event.ts';
import { createProbeWorld } from './probe-world.ts';

/** All routes of the API on memory stores, each behind the handler that it has in the stack. */
export async function createApiWorld() {
  const world = await createProbeWorld();
  const { clusters, tasks, clock, stack, controlQueue } = world;
  await world.openAdmin();
  const lines: unknown[] = [];
  const line = (message: string, fields?: Record<string, unknown>) => void lines.push([message, fields]);
  const logger: InvocationLogger = {
    debug: line,
    info: line,
    warn: line,
    error: line,
    setContext: () => undefined,
  };

  const getCluster = createGetCluster({ clusters });
  const deadLetters = createMemoryDeadLetterStore();
  const largeBodies = createMemoryLargeBodies();
  const jobs = createMemoryDeadLetterJobs(clock);
  const starter = { start: async () => undefined };
  const letters = { tasks, stack, deadLetters, largeBodies, jobs, starter, clock, logger };

  const handlers = [
    {
      routes: CLUSTER_ROUTES,
      handler: createApi(
        CLUSTER_ROUTES,
        clusterOperations({
          ...world,
          getCluster,
          listClusters: createListClusters({ clusters }),
          deleteCluster: createDeleteCluster({ clusters }),
          getTopic: createGetTopic({ clusters, getCluster }),
          deleteTopic: createDeleteTopic({ clusters }),
        }),
        { logger },
      ),
    },
    {
      routes: TASK_ROUTES,
      handler: createApi(
        TASK_ROUTES,
        taskOperations({
          ...world,
          editTask: createEditTask({ ...world, wakeConverge: controlQueue.wake, parseDefinition }),
          listTasks: createListTasks({ tasks, liveStatus: async (task) => task }),
          readErrors: async () => [],
          listEvents: createListEvents({ tasks }),
          listRevisions: createListRevisions({ tasks }),
        }),
        { logger },
      ),
    },
    {
      routes: DEAD_LETTER_ROUTES,
      handler: createApi(
        DEAD_LETTER_ROUTES,
        deadLetterOperations({
          listDeadLetters: createListDeadLetters(letters),
          getDeadLetter: createGetDeadLetter(letters),
          summarizeDeadLetters: createSummarizeDeadLetters(letters),
          createDeadLetterJob: createCreateDeadLetterJob(letters),
          listDeadLetterJobs: createListDeadLetterJobs(letters),
          getDeadLetterJob: createGetDeadLetterJob(letters),
        }),
        { logger },
      ),
    },
    { routes: PROBE_ROUTES, handler: createApi(PROBE_ROUTES, probeOperations(world), { logger }) },
  ];

  return {
    ...world,
    deadLetters,
    largeBodies,
    /** What was logged, at any level. */
    lines,
    async call(call: ApiCall): Promise<ApiAnswer> {
      const found = handlers.find(({ routes }) => call.routeKey in routes) ?? handlers[0];
      return invokeApi(found?.handler as never, call);
    },
  };
}
export type ApiWorld = Awaited<ReturnType<typeof createApiWorld>>;

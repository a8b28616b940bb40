import type { CreateTopic } from '../control/clusters/create-topic.ts';
import type { ListTopics } from '../control/clusters/list-topics.ts';
import type { GetLag } from '../control/tasks/get-lag.ts';
import type { ResetPosition } from '../control/tasks/reset-position.ts';
import type { PROBE_ROUTES } from './probe-routes.ts';
import type { Operations } from './route.ts';

export interface ProbeUseCases {
  listTopics: ListTopics;
  createTopic: CreateTopic;
  resetPosition: ResetPosition;
  getLag: GetLag;
}

/** What each route that reaches brokers does: one use case, and its outcome as an answer. */
export function probeOperations(use: ProbeUseCases): Operations<typeof PROBE_ROUTES> {
  return {
    'GET /clusters/{clusterId}/topics': async ({ params, query }) => ({
      status: 200,
      body: await use.listTopics({ ...params, ...query }),
    }),
    'POST /clusters/{clusterId}/topics': async ({ params, body }) => {
      const { topic, onCluster, created, warnings } = await use.createTopic({ ...params, ...body });
      const { type, queues } = onCluster;
      return {
        status: created ? 201 : 200,
        body: { ...topic, registered: true, onCluster: true, typeOnCluster: type, queues, warnings },
        location: `/clusters/${topic.clusterId}/topics/${topic.topic}`,
      };
    },
    'POST /tasks/{taskId}/position': async ({ params, body, actor }) => ({
      status: 200,
      body: await use.resetPosition({ ...params, ...body, actor }),
    }),
    'GET /tasks/{taskId}/lag': async ({ params }) => ({ status: 200, body: await use.getLag(params.taskId) }),
  };
}

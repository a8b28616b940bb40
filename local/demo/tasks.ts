import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, createApiClient } from '../api-client.ts';
import type { RunningParts } from '../bring-up.ts';
import { LocalStackError } from '../errors.ts';
import { CLUSTERS } from '../register.ts';
import { ensureTopic } from '../rocketmq-topics.ts';

/** RocketMQ topics of the demo. */
export const TOPICS = {
  status: 'charger_status',
  commands: 'charger_commands',
  events: 'factory_events',
} as const;

/** A running task of the demo. */
export interface DemoTask {
  taskId: string;
  taskName: string;
  /** For people. */
  route: string;
}

/** Body of `POST /tasks`, and for people what it does. */
interface TaskPlan {
  route: string;
  definition: { taskName: string; description: string; source: object; target: object; options?: object };
}

/** The three paths: topic rules, pull, MQTT session. */
const PLANS: readonly TaskPlan[] = [
  {
    route: `IoT stations/+/status → RocketMQ ${TOPICS.status}`,
    definition: {
      taskName: 'charger-wills',
      description: 'Tells the business when a charger goes dark',
      source: { clusterId: CLUSTERS.iot, topicFilters: ['stations/+/status'] },
      target: {
        clusterId: CLUSTERS.rocketmq,
        topic: TOPICS.status,
        tag: '${topic[3]}',
        keys: ['${topic[2]}'],
      },
    },
  },
  {
    route: `RocketMQ ${TOPICS.commands} → IoT stations/<key>/commands`,
    definition: {
      taskName: 'charger-commands',
      description: 'Carries what the back office commands to the charger',
      source: { clusterId: CLUSTERS.rocketmq, topic: TOPICS.commands },
      target: { clusterId: CLUSTERS.iot, topic: 'stations/${key}/commands', qos: 1 },
    },
  },
  {
    route: `MQTT broker factory/+/events → RocketMQ ${TOPICS.events}`,
    definition: {
      taskName: 'factory-events',
      description: 'Carries the events of the machines in the factory',
      source: { clusterId: CLUSTERS.mqtt, topicFilters: ['factory/+/events'] },
      target: { clusterId: CLUSTERS.rocketmq, topic: TOPICS.events, keys: ['${topic[2]}'] },
    },
  },
];

const RUNNING_TIMEOUT_MS = 90_000;
const POLL_MS = 200;

/**
 * Makes the topics and the tasks, side by side, and resolves when all tasks run. Those kept from an earlier run are started
 * again.
 */
export async function startDemoTasks(parts: RunningParts, signal: AbortSignal): Promise<DemoTask[]> {
  const { aws, deployment, rocketmq, user } = parts;
  const api = createApiClient({ api: deployment.api, region: aws.region, user, signal });
  await Promise.all(
    Object.values(TOPICS).map(async (topic) => {
      await ensureTopic({ nameServer: rocketmq.nameServer }, { topic });
      await api('PUT', `/clusters/${CLUSTERS.rocketmq}/topics/${topic}`, { body: { type: 'NORMAL' } });
    }),
  );
  return await Promise.all(PLANS.map((plan) => startTask(api, plan, signal)));
}

async function startTask(
  api: ApiClient,
  { route, definition }: TaskPlan,
  signal: AbortSignal,
): Promise<DemoTask> {
  const { taskName } = definition;
  const taskId = (await findTask(api, taskName)) ?? (await createTask(api, definition));
  await api('POST', `/tasks/${taskId}/start`);
  await untilRunning(api, { taskId, taskName }, signal);
  return { taskId, taskName, route };
}

async function createTask(api: ApiClient, definition: TaskPlan['definition']): Promise<string> {
  const { body } = await api('POST', '/tasks', { body: { ...definition, startNow: true } });
  return body.taskId;
}

async function findTask(api: ApiClient, taskName: string): Promise<string | undefined> {
  const { body } = await api('GET', `/tasks?q=${taskName}`);
  return body.items.find((task: { taskName: string }) => task.taskName === taskName)?.taskId;
}

async function untilRunning(
  api: ApiClient,
  { taskId, taskName }: Pick<DemoTask, 'taskId' | 'taskName'>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + RUNNING_TIMEOUT_MS;
  for (;;) {
    const { body: task } = await api('GET', `/tasks/${taskId}`);
    if (task.status === 'running') return;
    if (task.status === 'failed' || Date.now() > deadline) {
      throw new LocalStackError(
        'TASK_NOT_RUNNING',
        `The task ${taskName} is "${task.status}" instead of "running": ${JSON.stringify(task.reason ?? 'no reason given')}.`,
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

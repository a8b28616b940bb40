import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, createApiClient } from '../api-client.ts';
import type { RunningParts } from '../bring-up.ts';
import { LocalStackError } from '../errors.ts';
import { CLUSTERS } from '../register.ts';
import { ensureTopic } from '../rocketmq-topics.ts';

/** RocketMQ topic of the demo. */
export const CHARGER_STATUS = 'charger_status';

const TASK_NAME = 'charger-wills';

const RUNNING_TIMEOUT_MS = 60_000;
const POLL_MS = 200;

/**
 * Makes the topic and the task that carries the chargers' wills to it, and resolves with the task's id when it runs. One
 * kept from an earlier run is started again.
 */
export async function startDemoTask(parts: RunningParts, signal: AbortSignal): Promise<string> {
  const { aws, deployment, rocketmq, user } = parts;
  const api = createApiClient({ api: deployment.api, region: aws.region, user, signal });
  await ensureTopic({ nameServer: rocketmq.nameServer }, { topic: CHARGER_STATUS });
  await api('PUT', `/clusters/${CLUSTERS.rocketmq}/topics/${CHARGER_STATUS}`, { body: { type: 'NORMAL' } });
  const taskId = (await findTask(api)) ?? (await createTask(api));
  await api('POST', `/tasks/${taskId}/start`);
  await untilRunning(api, taskId, signal);
  return taskId;
}

async function createTask(api: ApiClient): Promise<string> {
  const { body } = await api('POST', '/tasks', {
    body: {
      taskName: TASK_NAME,
      description: 'Tells the business when a charger goes dark',
      source: { clusterId: CLUSTERS.iot, topicFilters: ['stations/+/status'] },
      target: {
        clusterId: CLUSTERS.rocketmq,
        topic: CHARGER_STATUS,
        tag: '${topic[3]}',
        keys: ['${topic[2]}'],
      },
      startNow: true,
    },
  });
  return body.taskId;
}

async function findTask(api: ApiClient): Promise<string | undefined> {
  const { body } = await api('GET', `/tasks?q=${TASK_NAME}`);
  return body.items.find((task: { taskName: string }) => task.taskName === TASK_NAME)?.taskId;
}

async function untilRunning(api: ApiClient, taskId: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + RUNNING_TIMEOUT_MS;
  for (;;) {
    const { body: task } = await api('GET', `/tasks/${taskId}`);
    if (task.status === 'running') return;
    if (task.status === 'failed' || Date.now() > deadline) {
      throw new LocalStackError(
        'TASK_NOT_RUNNING',
        `The demo task is "${task.status}" instead of "running": ${JSON.stringify(task.reason ?? 'no reason given')}.`,
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

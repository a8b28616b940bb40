import { randomUUID } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { type ApiClient, createApiClient } from './api-client.ts';
import { eventually } from './eventually.ts';
import { connectDevice } from './iot-client.ts';
import { runningStack, type StackUnderTest } from './stack-under-test.ts';

/** What the end-to-end tests do again and again, on the one running stack. */
export interface TaskFixture {
  stack: StackUnderTest;
  api: ApiClient;
  /** A device that is disconnected by `close`. */
  device(options?: Parameters<typeof connectDevice>[1]): Promise<MqttClient>;
  /** The body of a valid `POST /tasks`. */
  definition(
    topicFilters: string[],
    rocketmqTopic: string,
    more?: Record<string, unknown>,
  ): Record<string, unknown>;
  /** Creates a task, waits until it runs, answers its id. */
  runningTask(topicFilters: string[], rocketmqTopic: string, more?: Record<string, unknown>): Promise<string>;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
  becomes(taskId: string, status: string, timeoutMs?: number): Promise<any>;
  close(): Promise<void>;
}

export async function openTaskFixture(): Promise<TaskFixture> {
  const stack = await runningStack();
  const api = createApiClient(stack.apiOptions);
  const devices: MqttClient[] = [];

  const definition: TaskFixture['definition'] = (topicFilters, rocketmqTopic, more = {}) => ({
    taskName: `e2e-${randomUUID()}`,
    source: { clusterId: stack.clusters.iot, topicFilters },
    target: {
      clusterId: stack.clusters.rocketmq,
      topic: rocketmqTopic,
      tag: '${topic[3]}',
      keys: ['${topic[2]}'],
    },
    startNow: true,
    ...more,
  });
  const becomes: TaskFixture['becomes'] = (taskId, status, timeoutMs = 60_000) =>
    eventually(
      async () => (await api('GET', `/tasks/${taskId}`)).body,
      (body) => body.status === status,
      { timeoutMs, what: `task ${taskId} becomes ${status}` },
    );

  return {
    stack,
    api,
    definition,
    becomes,
    async device(options = {}) {
      const client = await connectDevice(stack.iot, options);
      devices.push(client);
      return client;
    },
    async runningTask(topicFilters, rocketmqTopic, more) {
      const created = await api('POST', '/tasks', definition(topicFilters, rocketmqTopic, more));
      if (created.status !== 201) throw new Error(`creating a task: ${JSON.stringify(created.body)}`);
      await becomes(created.body.taskId, 'running');
      return created.body.taskId;
    },
    async close() {
      await Promise.all(devices.map((client) => client.endAsync(true)));
    },
  };
}

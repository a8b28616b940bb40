import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { IoTClient, ListTopicRulesCommand } from '@aws-sdk/client-iot';
import { InvokeCommand, LambdaClient, paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, paginateListQueues, SQSClient } from '@aws-sdk/client-sqs';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import { DOWNLOADS, LOCAL_DIR, layoutOf } from '../../local/layout.ts';
import { ensureTopic } from '../../local/rocketmq-topics.ts';
import { type ApiClientOptions, createApiClient } from './api-client.ts';
import type { IotEndpoint } from './iot-client.ts';
import { readMessages } from './rocketmq-consumer.ts';

/**
 * Folder of the stack that the end-to-end tests run on. Their global set-up makes one of its own, unless
 * `MQFERRY_STACK_DIR` names that of a running one (`.local` after `npm start -- --detach`): quicker while working on them.
 */
export const TEST_STACK_DIR = path.resolve(
  process.env.MQFERRY_STACK_DIR ?? path.join(LOCAL_DIR, 'end-to-end'),
);

/** Every answer that the API has given to the suite, see `RecordedAnswer`. */
export const API_RECORD = path.join(TEST_STACK_DIR, 'api-answers.jsonl');

/** The root key of the emulator: it passes every policy, so it is for looking only. */
const ROOT = { accessKeyId: 'test', secretAccessKey: 'test' };

interface StackFile {
  api: string;
  aws: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };
  iot: IotEndpoint;
  mqtt: { url: string; username: string; password: string };
  rocketmq: { endpoint: string; nameServer: string };
  clusters: { iot: string; mqtt: string; rocketmq: string };
}

/** Properties as an object: what assertions like to compare. */
export type ReadMessage = Omit<RocketmqMessage, 'properties'> & { properties: Record<string, string> };

export interface StackUnderTest {
  apiOptions: ApiClientOptions;
  iot: IotEndpoint;
  clusters: StackFile['clusters'];
  /** The factory's broker. Its password is planted: it must never come back from the API. */
  mqtt: StackFile['mqtt'];
  mqttPassword: string;
  rocketmq: { nameServer: string; endpoint: string; libraries: string };
  /** A fresh topic on the broker, registered by the API. */
  createTopic(type: 'NORMAL' | 'FIFO'): Promise<string>;
  /** Reads with the official gRPC client in a group of its own, from the beginning. */
  consume(topic: string, group: string, count: number, timeoutMs?: number): Promise<ReadMessage[]>;
  /** Messages in the task's queue, waiting or in hand. */
  queueDepth(taskId: string): Promise<number>;
  /** Folder of this stack. */
  dir: string;
  /** SDK configuration of the root user. */
  config: { endpoint: string; region: string; credentials: typeof ROOT };
  /** The cloud as its root user sees it, for what a person might do by hand. */
  cloud: { iot: IoTClient; lambda: LambdaClient; sqs: SQSClient };
  /** The tick with an audit, now instead of within 15 minutes. */
  audit(): Promise<void>;
  /** What the cloud still holds for a task. */
  resourcesOf(taskId: string): Promise<{ queues: string[]; mappings: string[]; rules: string[] }>;
}

/** The stack that the global set-up has started. */
export async function runningStack(): Promise<StackUnderTest> {
  const stack = JSON.parse(await readFile(layoutOf(TEST_STACK_DIR).stackFile, 'utf8')) as StackFile;
  const { endpoint, region, ...key } = stack.aws;
  const apiOptions = { api: stack.api, region, ...key, record: API_RECORD };
  const api = createApiClient(apiOptions);
  const config = { endpoint, region, credentials: ROOT };
  const sqs = new SQSClient(config);
  const lambda = new LambdaClient(config);
  const iot = new IoTClient(config);

  async function queuesOf(taskId: string): Promise<string[]> {
    const urls: string[] = [];
    for await (const page of paginateListQueues({ client: sqs }, {})) urls.push(...(page.QueueUrls ?? []));
    return urls.filter((url) => url.endsWith(taskId));
  }

  return {
    apiOptions,
    iot: stack.iot,
    clusters: stack.clusters,
    mqtt: stack.mqtt,
    mqttPassword: stack.mqtt.password,
    rocketmq: { ...stack.rocketmq, libraries: DOWNLOADS.rocketmq },
    async createTopic(type) {
      const topic = `e2e_${randomUUID().replaceAll('-', '')}`;
      await ensureTopic(stack.rocketmq, { topic, type });
      const put = await api('PUT', `/clusters/${stack.clusters.rocketmq}/topics/${topic}`, { type });
      if (put.status >= 300) throw new Error(`registering ${topic}: ${JSON.stringify(put.body)}`);
      return topic;
    },
    async consume(rocketmqTopic, consumerGroup, count, timeoutMs = 60_000) {
      const messages = await readMessages({
        endpoint: stack.rocketmq.endpoint,
        rocketmqTopic,
        consumerGroup,
        count,
        timeoutMs,
      });
      return messages.map((message) => ({ ...message, properties: Object.fromEntries(message.properties) }));
    },
    async queueDepth(taskId) {
      const [QueueUrl] = await queuesOf(taskId);
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      return (
        Number(Attributes.ApproximateNumberOfMessages) +
        Number(Attributes.ApproximateNumberOfMessagesNotVisible)
      );
    },
    dir: TEST_STACK_DIR,
    config,
    cloud: { iot, lambda, sqs },
    async audit() {
      const { FunctionError, Payload } = await lambda.send(
        new InvokeCommand({
          FunctionName: 'mqferry-local-converge',
          Payload: Buffer.from(JSON.stringify({ source: 'tick', audit: true })),
        }),
      );
      if (FunctionError !== undefined) throw new Error(`converge: ${Buffer.from(Payload ?? []).toString()}`);
    },
    async resourcesOf(taskId) {
      const mappings: string[] = [];
      for await (const page of paginateListEventSourceMappings({ client: lambda }, {})) {
        for (const { UUID, EventSourceArn } of page.EventSourceMappings ?? []) {
          if (UUID !== undefined && EventSourceArn?.endsWith(taskId)) mappings.push(UUID);
        }
      }
      const { rules = [] } = await iot.send(new ListTopicRulesCommand({ maxResults: 10_000 }));
      return {
        queues: await queuesOf(taskId),
        mappings,
        rules: rules.map(({ ruleName = '' }) => ruleName).filter((name) => name.includes(taskId)),
      };
    },
  };
}

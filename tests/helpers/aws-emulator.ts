import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { DATA_PLANE_SQS_CLIENT } from '../../lib/adapters/sqs/client-options.ts';

/** How to reach the AWS emulator that the tests run against. */
export function emulatorConfig() {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  if (endpoint === undefined) throw new Error('AWS_ENDPOINT_URL must name the AWS emulator');
  return {
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
}

export interface TestQueue {
  url: string;
  arn: string;
  name: string;
}

export interface ReceivedMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: Record<string, string>;
}

/** Queues on the emulator, and their removal. */
export function createTestQueues() {
  const sqs = new SQSClient({ ...DATA_PLANE_SQS_CLIENT, ...emulatorConfig() });
  const urls: string[] = [];

  async function create(
    name = `test-${randomUUID()}`,
    attributes: Record<string, string> = {},
  ): Promise<TestQueue> {
    const { QueueUrl: url = '' } = await sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
    );
    urls.push(url);
    const answer = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
    );
    return { url, name, arn: answer.Attributes?.QueueArn ?? '' };
  }

  async function send(url: string, bodies: readonly string[]): Promise<void> {
    for (let at = 0; at < bodies.length; at += 10) {
      const answer = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: url,
          Entries: bodies
            .slice(at, at + 10)
            .map((MessageBody, index) => ({ Id: String(index), MessageBody })),
        }),
      );
      if ((answer.Failed ?? []).length > 0) throw new Error('the emulator refused a message');
    }
  }

  /** At most ten, waiting so long for the first. */
  async function receive(url: string, count = 10, waitSeconds = 10): Promise<ReceivedMessage[]> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: Math.min(10, count),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    return Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes as Record<string, string>,
    }));
  }

  /** Receives until so many have come; fails when the queue is empty before. */
  async function receiveAll(url: string, count: number): Promise<ReceivedMessage[]> {
    const messages: ReceivedMessage[] = [];
    while (messages.length < count) {
      const more = await receive(url, count - messages.length);
      if (more.length === 0) throw new Error(`${messages.length} of ${count} messages came`);
      messages.push(...more);
    }
    return messages;
  }

  /** As `receiveAll`, and deletes what came: a FIFO queue gives out no more of a group before. */
  async function receiveInOrder(url: string, count: number): Promise<ReceivedMessage[]> {
    const messages: ReceivedMessage[] = [];
    while (messages.length < count) {
      const more = await receive(url, count - messages.length);
      if (more.length === 0) throw new Error(`${messages.length} of ${count} messages came`);
      const Entries = more.map(({ receiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
      }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      messages.push(...more);
    }
    return messages;
  }

  async function countVisible(url: string): Promise<number> {
    const answer = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    return Number(answer.Attributes?.ApproximateNumberOfMessages);
  }

  async function dropAll(): Promise<void> {
    for (const url of urls.splice(0)) await sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
    sqs.destroy();
  }

  return { sqs, create, send, receive, receiveAll, receiveInOrder, countVisible, dropAll };
}

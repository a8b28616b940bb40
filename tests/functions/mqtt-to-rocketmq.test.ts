import { SendMessageBatchCommand, type SendMessageBatchCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { emfFaults } from '../helpers/emf-schema.ts';
import { type FakeProxy, startFakeProxy } from '../helpers/fake-rocketmq-proxy.ts';
import { envelopeText, rocketmqCluster, ruleTask, TASK_ID } from '../helpers/rule-path.ts';
import { invocationContext, sqsEvent } from '../helpers/sqs-event.ts';

const sqs = mockClient(SQSClient);
const documents = mockClient(DynamoDBDocumentClient);
type Handler = typeof import('../../functions/mqtt-to-rocketmq.ts')['handler'];

describe('handler of mqtt-to-rocketmq', () => {
  let proxy: FakeProxy;
  let handler: Handler;

  beforeAll(async () => {
    proxy = await startFakeProxy({ topics: { charger_status: { types: ['NORMAL'] } } });
    Object.assign(process.env, {
      TABLE_NAME: 'table',
      DEAD_LETTER_BUCKET: 'dead-letters',
      DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letters',
      AWS_REGION: 'eu-west-1',
      ALLOW_LOCAL_ADDRESSES: 'true',
      SERVICE: 'mqferry',
      STAGE: 'dev',
      LOG_LEVEL: 'ERROR',
    });
    ({ handler } = await import('../../functions/mqtt-to-rocketmq.ts'));
  });
  afterAll(() => proxy.stop());

  const written: string[] = [];
  afterEach(() => void jest.restoreAllMocks());

  let task: Task;
  beforeEach(() => {
    written.length = 0;
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    task = ruleTask();
    sqs.reset();
    documents.reset();
    documents
      .on(GetCommand, { Key: { PK: `TASK#${TASK_ID}`, SK: 'META' } })
      .callsFake(async () => ({ Item: task }));
    documents
      .on(GetCommand, { Key: { PK: 'CLUSTER#business', SK: 'META' } })
      .resolves({ Item: rocketmqCluster({ endpoint: proxy.endpoint }) });
    sqs.on(SendMessageBatchCommand).callsFake((input: SendMessageBatchCommandInput) => ({
      Successful: (input.Entries ?? []).map(({ Id }) => ({ Id, MessageId: 'm', MD5OfMessageBody: '' })),
    }));
  });

  it('carries a batch, and answers that nothing has to come again', async () => {
    const before = proxy.requests.length;
    const event = sqsEvent(['a', 'b'].map((payload) => ({ body: envelopeText({ payload }) })));
    expect(await handler(event, invocationContext())).toEqual({ batchItemFailures: [] });
    const [request] = proxy.requests.slice(before);
    expect(request?.map((message) => Buffer.from(message.getBody_asU8()).toString())).toEqual(['a', 'b']);
    const lines = written.splice(0).map((text) => JSON.parse(text));
    expect(lines.map(emfFaults)).toEqual([[]]);
    expect(lines[0]).toMatchObject({
      message: 'batch forwarded',
      stage: 'dev',
      taskId: TASK_ID,
      replicated: 2,
    });
  });

  it('hands over what cannot be read, and answers that it is done with it', async () => {
    expect(await handler(sqsEvent([{ body: 'odd' }]), invocationContext())).toEqual({
      batchItemFailures: [],
    });
    expect(sqs.commandCalls(SendMessageBatchCommand)).toHaveLength(1);
  });

  it('names exactly the records that come again', async () => {
    sqs.on(SendMessageBatchCommand).rejects(new Error('away'));
    const event = sqsEvent([{ body: envelopeText() }, { body: 'odd', messageId: 'odd' }]);
    expect(await handler(event, invocationContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: 'odd' }],
    });
  });

  it('answers all records when the table is away', async () => {
    documents.on(GetCommand).rejects(new Error('away'));
    const event = sqsEvent([{ messageId: 'a' }, { messageId: 'b' }]);
    expect(await handler(event, invocationContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }],
    });
  });

  it('answers all records when something of ours is at fault', async () => {
    const context = invocationContext();
    context.getRemainingTimeInMillis = () => {
      throw new Error('bug');
    };
    const event = sqsEvent([{ messageId: 'a' }]);
    expect(await handler(event, context)).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
  });
});

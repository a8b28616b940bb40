import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Context, SQSEvent } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { encodeWake } from '../../lib/domain/wake-message.ts';
import {
  DEAD_LETTER_ARN,
  DEAD_LETTER_FIFO_ARN,
  DEAD_LETTER_URL,
  REGION,
  STACK_ARN,
} from '../helpers/converge-world.ts';

Object.assign(process.env, {
  AWS_REGION: REGION,
  TABLE_NAME: 'table',
  CONTROL_QUEUE_URL: `https://sqs.${REGION}.amazonaws.com/123456789012/control.fifo`,
  DEAD_LETTER_QUEUE_URL: DEAD_LETTER_URL,
  DEAD_LETTER_QUEUE_ARN: DEAD_LETTER_ARN,
  DEAD_LETTER_FIFO_QUEUE_ARN: DEAD_LETTER_FIFO_ARN,
  STACK_ARN,
  SERVICE: 'mqferry',
  STAGE: 'dev',
  RULE_ROLE_ARN: 'arn:aws:iam::123456789012:role/rules',
  BATCH_FUNCTION_NAME: 'batching',
  PULL_FUNCTION_NAME: 'pulling',
  SESSION_FUNCTION_NAME: 'sessions',
  PROBE_FUNCTION_NAME: 'asking',
  LOG_LEVEL: 'ERROR',
});
const { handler } = await import('../../functions/converge.ts');

const table = mockClient(DynamoDBDocumentClient);
beforeEach(() => {
  table.reset();
});

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 } as Context;
const wake = (body: string) =>
  ({
    Records: [
      {
        messageId: 'message',
        receiptHandle: 'handle',
        body,
        eventSourceARN: `arn:aws:sqs:${REGION}:123456789012:control.fifo`,
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: '1',
          ApproximateFirstReceiveTimestamp: '1',
        },
      },
    ],
  }) as unknown as SQSEvent;

describe('handler', () => {
  it('is done with a wake whose task is gone', async () => {
    table.on(GetCommand).resolves({});
    expect(await handler(wake(encodeWake('task')), context)).toEqual({ batchItemFailures: [] });
    expect(table.commandCalls(GetCommand)[0]?.args[0].input).toMatchObject({ TableName: 'table' });
  });

  it('gives a record back when the table does not answer', async () => {
    table.on(GetCommand).rejects(new Error('no answer'));
    expect(await handler(wake(encodeWake('task')), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'message' }],
    });
  });

  it('takes a tick, and does nothing once the stack is being removed', async () => {
    table.on(GetCommand).resolves({ Item: { removing: true } });
    expect(await handler({ source: 'tick', audit: true }, context)).toEqual({ batchItemFailures: [] });
    expect(table.calls()).toHaveLength(2);
  });
});

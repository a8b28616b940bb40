import { createServer, type Server } from 'node:http';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { REGION, STACK_ARN } from '../helpers/converge-world.ts';

Object.assign(process.env, {
  AWS_REGION: REGION,
  TABLE_NAME: 'table',
  DEAD_LETTER_BUCKET: 'bucket',
  KEEP_DATA: 'false',
  STACK_ARN,
  SERVICE: 'mqferry',
  STAGE: 'dev',
  BATCH_FUNCTION_NAME: 'batching',
  LOG_LEVEL: 'ERROR',
});
const { handler } = await import('../../functions/runtime-resources.ts');

const table = mockClient(DynamoDBDocumentClient);
const answers: Record<string, unknown>[] = [];
let server: Server;
let responseUrl = '';

/** Stands in for the presigned URL of CloudFormation. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    answers.push(JSON.parse(body));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  responseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/answer?signature=x`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  table.reset();
  answers.length = 0;
});

const context = {
  awsRequestId: 'request',
  functionName: 'me',
  // So little that what fails is not tried again.
  getRemainingTimeInMillis: () => 65_000,
} as Context;
const event = (RequestType: string) => ({
  RequestType,
  ResponseURL: responseUrl,
  StackId: STACK_ARN,
  RequestId: 'id',
  LogicalResourceId: 'RuntimeResources',
});

describe('handler', () => {
  it.each(['Create', 'Update'])('answers %s without touching anything', async (type) => {
    await handler(event(type), context);
    expect(answers).toMatchObject([{ Status: 'SUCCESS', RequestId: 'id', StackId: STACK_ARN }]);
    expect(table.calls()).toEqual([]);
  });

  it('marks the stack as going on Delete, and says when it could not', async () => {
    table.on(UpdateCommand).rejects(new Error('the table does not answer'));
    await handler(event('Delete'), context);
    expect(answers).toMatchObject([
      { Status: 'FAILED', Reason: expect.stringContaining('the table does not answer') },
    ]);
    expect(table.commandCalls(UpdateCommand)[0]?.args[0].input).toMatchObject({
      Key: { PK: 'STACK#STATE', SK: 'META' },
    });
  });
});

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { DEAD_LETTER_ROUTES } from '../../lib/api/dead-letter-routes.ts';
import { type ApiCall, invokeApi } from '../helpers/api-event.ts';
import { TASK_ID } from '../helpers/rule-path.ts';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  TABLE_NAME: 'table',
  DEAD_LETTER_BUCKET: 'bucket',
  REDRIVE_FUNCTION_NAME: 'mqferry-dev-redrive',
  LOG_LEVEL: 'ERROR',
});
const { handler } = await import('../../functions/api-dead-letters.ts');
const call = (request: ApiCall) => invokeApi(handler as never, request);

const table = mockClient(DynamoDBDocumentClient);
const lambda = mockClient(LambdaClient);
const s3 = mockClient(S3Client);
beforeEach(() => {
  table.reset();
  lambda.reset();
  s3.reset();
  table.on(GetCommand).resolves({});
  table.on(QueryCommand).resolves({ Items: [] });
  table.on(PutCommand).resolves({});
  lambda.on(InvokeCommand).resolves({});
});

const ID = '01JD4YQ3V8F0G2H4J6K8M0N2P5';

describe('handler of api-dead-letters', () => {
  it('makes a job and starts the worker with the task', async () => {
    const { status, body, headers } = await call({
      routeKey: 'POST /tasks/{taskId}/dead-letters/discard',
      params: { taskId: TASK_ID },
      body: { reason: 'TEMPLATE_VALUE_MISSING' },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ action: 'discard', reason: 'TEMPLATE_VALUE_MISSING', state: 'queued' });
    expect(headers?.location).toBe(`/tasks/${TASK_ID}/dead-letter-jobs/${body.jobId}`);
    expect(table.commandCalls(PutCommand)[0]?.args[0].input.Item).toMatchObject({
      PK: `TASK#${TASK_ID}`,
      jobId: body.jobId,
      selection: { code: 'TEMPLATE_VALUE_MISSING' },
    });
    const [started] = lambda.commandCalls(InvokeCommand);
    expect(started?.args[0].input).toMatchObject({
      FunctionName: 'mqferry-dev-redrive',
      InvocationType: 'Event',
    });
    expect(JSON.parse(Buffer.from(started?.args[0].input.Payload as Uint8Array).toString())).toEqual({
      source: 'api',
      taskId: TASK_ID,
    });
  });

  it('keeps the job when the worker could not be started: the tick finds it', async () => {
    lambda.on(InvokeCommand).rejects(new Error('throttled'));
    const { status } = await call({
      routeKey: 'POST /tasks/{taskId}/dead-letters/discard',
      params: { taskId: TASK_ID },
      body: { all: true },
    });
    expect(status).toBe(202);
  });

  it.each([
    ['nothing selected', {}],
    ['two selections', { all: true, reason: 'A' }],
    ['all: false', { all: false }],
    ['no ids', { ids: [] }],
    ['too many ids', { ids: Array.from({ length: 101 }, () => ID) }],
    ['an id that is none', { ids: ['../x'] }],
    ['a reason that is no code', { reason: 'a#b' }],
    ['a rate of 0', { all: true, maxMessagesPerSecond: 0 }],
    ['an unknown field', { all: true, force: true }],
  ])('refuses %s', async (_what, body) => {
    const { status } = await call({
      routeKey: 'POST /tasks/{taskId}/dead-letters/redrive',
      params: { taskId: TASK_ID },
      body,
    });
    expect(status).toBe(400);
    expect(table.commandCalls(PutCommand)).toEqual([]);
  });

  it('shows the message in a dead letter', async () => {
    const letter = {
      deadLetterId: ID,
      taskId: TASK_ID,
      origin: 'forward',
      version: 3,
      code: 'TEMPLATE_VALUE_MISSING',
      reason: 'a value is missing',
      body: JSON.stringify({
        v: 2,
        task: TASK_ID,
        r: 3,
        id: 'm',
        ts: 1,
        t: 'a/b',
        q: 1,
        up: [['k', 'v']],
        p: Buffer.from([0, 255]).toString('base64'),
      }),
      attempts: 1,
      sourceTopic: 'a/b',
      firstSeenAtMs: 1,
      failedAtMs: 2,
      storedAtMs: 3,
    };
    table.on(GetCommand).resolves({ Item: { PK: 'x', SK: 'y', ...letter } });
    const { status, body } = await call({
      routeKey: 'GET /tasks/{taskId}/dead-letters/{deadLetterId}',
      params: { taskId: TASK_ID, deadLetterId: ID },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      deadLetterId: ID,
      taskId: TASK_ID,
      origin: 'forward',
      version: 3,
      reason: 'TEMPLATE_VALUE_MISSING',
      message: 'a value is missing',
      attempts: 1,
      redrives: 0,
      sourceTopic: 'a/b',
      firstSeenAt: '1970-01-01T00:00:00.001Z',
      failedAt: '1970-01-01T00:00:00.002Z',
      storedAt: '1970-01-01T00:00:00.003Z',
      content: { kind: 'mqtt', topicName: 'a/b', payload: 'AP8=', qos: 1, userProperties: [['k', 'v']] },
    });
  });

  it('lists one whose producer claimed a time that no date can say', async () => {
    const head = { deadLetterId: ID, taskId: TASK_ID, origin: 'pull', version: 1, code: 'X', reason: 'x' };
    const letter = { ...head, attempts: 1, firstSeenAtMs: 2 ** 53 - 1, failedAtMs: 2, storedAtMs: 3 };
    table.on(QueryCommand).resolves({ Items: [{ PK: 'x', SK: 'y', ...letter }] });
    const params = { taskId: TASK_ID };
    const list = await call({ routeKey: 'GET /tasks/{taskId}/dead-letters', params });
    expect(list).toMatchObject({
      status: 200,
      body: { items: [{ firstSeenAt: '9999-12-31T23:59:59.999Z' }] },
    });
    const summary = await call({ routeKey: 'GET /tasks/{taskId}/dead-letter-summary', params });
    expect(summary).toMatchObject({ status: 200, body: { oldestAt: '9999-12-31T23:59:59.999Z' } });
  });

  it.each(Object.keys(DEAD_LETTER_ROUTES))('knows %s', async (routeKey) => {
    const { status } = await call({
      routeKey,
      params: {
        taskId: TASK_ID,
        ...(routeKey.includes('{deadLetterId}') ? { deadLetterId: ID } : {}),
        ...(routeKey.includes('{jobId}') ? { jobId: ID } : {}),
      },
      ...(routeKey.startsWith('POST') ? { body: { all: true } } : {}),
    } as ApiCall);
    expect([200, 202, 404]).toContain(status);
  });
});

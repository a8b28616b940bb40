import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { TASK_ROUTES } from '../../lib/api/task-routes.ts';
import { type ApiCall, invokeApi } from '../helpers/api-event.ts';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  TABLE_NAME: 'table',
  CONTROL_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/control.fifo',
  RULE_CONCURRENCY: '100',
  ALLOWED_TOPIC_PREFIXES: '',
  LOG_LEVEL: 'ERROR',
});
const { handler } = await import('../../functions/api-tasks.ts');
const call = (request: ApiCall) => invokeApi(handler as never, request);

const table = mockClient(DynamoDBDocumentClient);
beforeEach(() => {
  table.reset();
});

describe('handler of api-tasks', () => {
  it('reads from the table of the stack', async () => {
    table.on(GetCommand).resolves({});
    const { status, body } = await call({ routeKey: 'GET /tasks/{taskId}', params: { taskId: 'T' } });
    expect(status).toBe(404);
    expect(body.code).toBe('TASK_NOT_FOUND');
    expect(table.commandCalls(GetCommand)[0]?.args[0].input).toMatchObject({ TableName: 'table' });
  });

  it('makes and starts nothing once the stack is being removed', async () => {
    table.on(GetCommand).resolves({ Item: { removing: true } });
    const { status, body } = await call({ routeKey: 'POST /tasks/{taskId}/start', params: { taskId: 'T' } });
    expect(status).toBe(409);
    expect(body.code).toBe('STACK_REMOVING');
  });

  it.each(Object.keys(TASK_ROUTES))('knows %s', async (routeKey) => {
    table.onAnyCommand().resolves({});
    const { status, body } = await call({
      routeKey,
      ...(routeKey.includes('{taskId}') ? { params: { taskId: 'T' } } : {}),
      headers: { 'if-match': '"1"' },
    });
    expect([status, body?.code]).not.toEqual([404, 'ROUTE_NOT_FOUND']);
    expect(status).toBeLessThan(500);
  });
});

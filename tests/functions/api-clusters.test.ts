import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { type ApiCall, invokeApi } from '../helpers/api-event.ts';

Object.assign(process.env, { AWS_REGION: 'eu-west-1', TABLE_NAME: 'table', LOG_LEVEL: 'ERROR' });
const { handler } = await import('../../functions/api-clusters.ts');
const call = (request: ApiCall) => invokeApi(handler as never, request);

const table = mockClient(DynamoDBDocumentClient);
beforeEach(() => {
  table.reset();
});

describe('handler of api-clusters', () => {
  it('lists from the table of the stack', async () => {
    table.on(QueryCommand).resolves({ Items: [] });
    expect(await call({ routeKey: 'GET /clusters' })).toMatchObject({ status: 200, body: { items: [] } });
    expect(table.commandCalls(QueryCommand)[0]?.args[0].input).toMatchObject({ TableName: 'table' });
  });

  it('answers no detail when the table does not', async () => {
    table.on(GetCommand).rejects(new Error('no answer from 10.0.0.7'));
    const answer = await call({ routeKey: 'GET /clusters/{clusterId}', params: { clusterId: 'devices' } });
    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL', instance: 'request-1' } });
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.7');
  });
});

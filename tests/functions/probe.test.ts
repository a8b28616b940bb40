import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { type ApiCall, invokeApi } from '../helpers/api-event.ts';
import { createFakeRemoting } from '../helpers/fake-remoting-server.ts';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  TABLE_NAME: 'table',
  ALLOW_LOCAL_ADDRESSES: 'true',
  LOG_LEVEL: 'ERROR',
});
const { handler } = await import('../../functions/probe.ts');
const call = (request: ApiCall) => invokeApi(handler as never, request);

const table = mockClient(DynamoDBDocumentClient);
const remoting = createFakeRemoting();
beforeEach(() => {
  table.reset();
});
afterEach(() => remoting.close());

describe('handler of probe', () => {
  it('asks the name server of the registered cluster, and its brokers', async () => {
    const config = { topicName: 'orders', readQueueNums: 4, attributes: { 'message.type': 'FIFO' } };
    const { nameServer } = await remoting.startCluster(({ code }) =>
      code === 21 ? { code: 0, body: JSON.stringify({ topicConfigTable: { orders: config } }) } : undefined,
    );
    const cluster = { kind: 'rocketmq', clusterId: 'business', nameServer };
    table.on(GetCommand).resolves({ Item: { PK: 'CLUSTER#business', SK: 'CLUSTER', ...cluster } });
    table.on(QueryCommand).resolves({ Items: [] });
    const answer = await call({
      routeKey: 'GET /clusters/{clusterId}/topics',
      params: { clusterId: 'business' },
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { items: [{ topic: 'orders', type: 'FIFO', registered: false, onCluster: true, queues: 4 }] },
    });
  });

  it('answers a question of converge with what is known of the target', async () => {
    table.on(GetCommand).resolves({});
    const context = { awsRequestId: 'r' } as Context;
    expect(await handler({ source: 'converge', taskId: 'gone' }, context)).toBe('unknown');
  });

  it('answers no detail when the table does not', async () => {
    table.on(GetCommand).rejects(new Error('no answer from 10.0.0.7'));
    const answer = await call({ routeKey: 'GET /tasks/{taskId}/lag', params: { taskId: 'x' } });
    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.7');
  });
});

import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { MetricsAnswer } from '../../lib/api/metrics-schemas.ts';
import { type ApiCall, invokeApi } from '../helpers/api-event.ts';
import { ruleTask, TASK_ID } from '../helpers/rule-path.ts';

Object.assign(process.env, { AWS_REGION: 'eu-west-1', TABLE_NAME: 'table', LOG_LEVEL: 'ERROR' });
const { handler } = await import('../../functions/api-metrics.ts');
const call = (request: ApiCall) => invokeApi(handler as never, request);

const table = mockClient(DynamoDBDocumentClient);
beforeEach(() => {
  table.reset();
  table.on(QueryCommand).resolves({ Items: [] });
  table.on(GetCommand).resolves({});
});

describe('handler of api-metrics', () => {
  const routeKey = 'GET /tasks/{taskId}/metrics';
  const params = { taskId: TASK_ID };

  it('answers the figures of a task as the contract has them', async () => {
    const { definition, ...task } = ruleTask();
    table
      .on(GetCommand, { Key: { PK: `TASK#${TASK_ID}`, SK: 'META' } })
      .resolves({ Item: { ...task, definition } });
    table.on(GetCommand, { Key: { PK: `FIGURES#${TASK_ID}`, SK: 'TOTALS' } }).resolves({
      Item: {
        PK: `FIGURES#${TASK_ID}`,
        SK: 'TOTALS',
        c: 5,
        r: 4,
        x_TOPIC_ILLEGAL: 1,
        l33: 4,
        foldedThrough: 7,
      },
    });
    const { status, body } = await call({ routeKey, params, query: { period: '60' } });
    expect(status).toBe(200);
    expect(MetricsAnswer.parse(body).totals).toMatchObject({
      consumed: 5,
      replicated: 4,
      failed: 1,
      inFlight: 0,
    });
  });

  it('refuses tasks that are not there, and ranges that are none', async () => {
    expect(await call({ routeKey, params })).toMatchObject({ status: 404, body: { code: 'TASK_NOT_FOUND' } });
    for (const query of [{ from: 'yesterday' }, { period: '61' }, { step: '60' }]) {
      expect((await call({ routeKey, params, query })).status).toBe(400);
    }
    const range = { from: '2026-11-23T12:00:00Z', to: '2026-11-23T11:00:00Z' };
    expect(await call({ routeKey, params, query: range })).toMatchObject({
      status: 400,
      body: { code: 'RANGE_INVALID' },
    });
  });
});

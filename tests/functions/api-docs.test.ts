import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiCall } from '../helpers/api-event.ts';
import { invokeApi } from '../helpers/api-event.ts';

let call: (call: ApiCall) => ReturnType<typeof invokeApi>;

beforeAll(async () => {
  process.env.LOG_LEVEL = 'ERROR';
  const { handler } = await import('../../functions/api-docs.ts');
  call = (request) => invokeApi(handler as never, request);
});

describe('handler of api-docs', () => {
  it('serves the OpenAPI document', async () => {
    const { status, headers, body } = await call({ routeKey: 'GET /openapi.json' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/tasks/{taskId}/start');
  });

  it('refuses parameters it does not know', async () => {
    const { status } = await call({ routeKey: 'GET /openapi.json', query: { format: 'yaml' } });
    expect(status).toBe(400);
  });
});

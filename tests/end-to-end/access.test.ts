import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiClient } from '../helpers/api-client.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

const ROUTES = [
  ['GET', '/tasks'],
  ['POST', '/tasks'],
  ['GET', '/clusters'],
  ['PUT', '/clusters/x'],
  ['GET', '/openapi.json'],
] as const;

describe('the API', () => {
  it.each(ROUTES)('refuses %s %s without a signature', async (method, path) => {
    const answer = await fetch(`${fixture.stack.apiOptions.api}${path}`, { method });
    expect(answer.status).toBe(403);
  });

  it.each(ROUTES)('refuses %s %s with a wrong secret', async (method, path) => {
    const stranger = createApiClient({ ...fixture.stack.apiOptions, secretAccessKey: 'not-the-secret' });
    expect((await stranger(method, path)).status).toBe(403);
  });

  it('answers its own description to who may call it', async () => {
    const answer = await fixture.api('GET', '/openapi.json');
    expect(answer).toMatchObject({ status: 200, body: { openapi: '3.1.0' } });
    expect(Object.keys(answer.body.paths)).toContain('/tasks/{taskId}/start');
  });

  it('never gives a secret back, only its reference', async () => {
    const { body } = await fixture.api('GET', `/clusters/${fixture.stack.clusters.mqtt}`);
    expect(body).toMatchObject({
      kind: 'mqtt',
      secretRef: expect.stringMatching(/^arn:aws:secretsmanager:/),
    });
    expect(JSON.stringify(body)).not.toContain(fixture.stack.mqttPassword);
  });
});

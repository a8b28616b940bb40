import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ApiClient, createApiClient } from '../helpers/api-client.ts';
import { runningStack, type StackUnderTest } from '../helpers/stack-under-test.ts';

let stack: StackUnderTest;
let api: ApiClient;
beforeAll(async () => {
  stack = await runningStack();
  api = createApiClient(stack.apiOptions);
});

describe('topics of a RocketMQ cluster', () => {
  it('are created over the API, registered, and listed with those that others made', async () => {
    const topics = `/clusters/${stack.clusters.rocketmq}/topics`;
    const topic = `e2e_${randomUUID().replaceAll('-', '')}`;
    const created = await api('POST', topics, { topic, type: 'FIFO', queues: 3 });
    expect(created).toMatchObject({ status: 201, body: { topic, type: 'FIFO', queues: 3 } });
    expect(await api('GET', `${topics}/${topic}`)).toMatchObject({ status: 200, body: { type: 'FIFO' } });
    const listed: { topic: string }[] = [];
    for (let cursor = '', pages = 0; pages < 20; pages += 1) {
      const { status, body } = await api('GET', `${topics}?limit=5${cursor}`);
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('warnings');
      listed.push(...body.items);
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(listed).toContainEqual(
      expect.objectContaining({ topic, type: 'FIFO', registered: true, onCluster: true, queues: 3 }),
    );
    expect(listed.map((one) => one.topic)).not.toContain('TBW102');
  });

  it('are not changed to another type', async () => {
    const topic = await stack.createTopic('NORMAL');
    const refused = await api('POST', `/clusters/${stack.clusters.rocketmq}/topics`, { topic, type: 'FIFO' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'TOPIC_EXISTS' } });
  });
});

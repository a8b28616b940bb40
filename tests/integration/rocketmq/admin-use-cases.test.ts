import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { RocketmqProducer } from '../../../lib/adapters/rocketmq/producer.ts';
import { createRocketmqAdmins } from '../../../lib/adapters/rocketmq-admin/admins.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import { failures, plain } from '../../contract/message-producer.ts';
import { eventually } from '../../helpers/eventually.ts';
import { createProbeWorld, type ProbeWorld } from '../../helpers/probe-world.ts';
import { readMessages } from '../../helpers/rocketmq-consumer.ts';
import { startTestRocketmq, type TestRocketmq } from './test-rocketmq.ts';

jest.setTimeout(60_000);

let broker: TestRocketmq;
let world: ProbeWorld;
let producer: RocketmqProducer;

beforeAll(async () => {
  broker = await startTestRocketmq();
  const { endpoint, nameServer } = broker.rocketmq;
  const admins = createRocketmqAdmins({ secrets: createMemorySecretReader(), clock: systemClock });
  world = await createProbeWorld({ admins, nameServer });
  await world.openAdmin();
  producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
}, 180_000);
afterAll(async () => {
  await producer?.close();
  await broker?.stop();
}, 30_000);

describe('the API on RocketMQ 5.4.0', () => {
  it('creates a topic that messages can be sent to, registers and lists it', async () => {
    const topic = `orders_${randomUUID()}`;
    await world.createTopic({ clusterId: 'business', topic, type: 'FIFO', queues: 3 });
    const message = { ...plain(topic, 'first'), messageGroup: 'station-1' };
    const results = await producer.send(topic, [message], { deadlineMs: Date.now() + 10_000 });
    expect(failures(results)).toEqual([]);
    const { items } = await world.listTopics({ clusterId: 'business', limit: 100 });
    expect(items).toContainEqual(
      expect.objectContaining({
        topic,
        type: 'FIFO',
        registered: true,
        onCluster: true,
        typeOnCluster: 'FIFO',
        queues: 3,
      }),
    );
  });

  it('counts the lag of a task, and moves its position', async () => {
    const topic = `commands_${randomUUID()}`;
    await world.createTopic({ clusterId: 'business', topic, type: 'NORMAL', queues: 2 });
    const taskId = await world.addPullTask({ topic });
    const consumerGroup = `mqferry_${taskId}`;
    await expect(world.resetPosition({ taskId, to: 'latest' })).rejects.toMatchObject({
      status: 409,
      code: 'GROUP_NOT_FOUND',
    });
    await broker.ensureGroup(consumerGroup);
    const messages = Array.from({ length: 5 }, (_, index) => plain(topic, `${index}`));
    expect(failures(await producer.send(topic, messages, { deadlineMs: Date.now() + 10_000 }))).toEqual([]);
    const untilLag = (count: number) =>
      eventually(
        () => world.getLag(taskId),
        (lag) => lag.messages === count,
        {
          timeoutMs: 15_000,
          what: `a lag of ${count}`,
        },
      );
    expect(await untilLag(5)).toMatchObject({
      oldestAgeSeconds: expect.any(Number),
      approximate: true,
    });
    await world.resetPosition({ taskId, to: 'latest' });
    expect(await untilLag(0)).not.toHaveProperty('oldestAgeSeconds');
    await world.resetPosition({ taskId, to: 'earliest' });
    await untilLag(5);
    const { endpoint } = broker.rocketmq;
    const read = await readMessages({ endpoint, rocketmqTopic: topic, consumerGroup, count: 5 });
    expect(read.map(({ body }) => body.toString()).sort()).toEqual(['0', '1', '2', '3', '4']);
    await untilLag(0);
    const { items } = await world.tasks.listEvents(taskId, { limit: 10 });
    expect(items.filter(({ code }) => code === 'POSITION_RESET')).toHaveLength(2);
  });

  it('lists the registered topics with a warning while the broker is down', async () => {
    await broker.rocketmq.kill();
    const { items, warnings } = await world.listTopics({ clusterId: 'business', limit: 100 });
    expect(items).toContainEqual(expect.objectContaining({ topic: 'charger_status', registered: true }));
    expect(warnings).toEqual([
      expect.objectContaining({ code: expect.stringMatching(/^ADMIN_(UNREACHABLE|NO_BROKER)$/) }),
    ]);
    const spec = { clusterId: 'business', topic: 'late', type: 'NORMAL', queues: 1 } as const;
    await expect(world.createTopic(spec)).rejects.toMatchObject({ status: 502 });
  });
});

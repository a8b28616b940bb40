import { beforeEach, describe, expect, it } from '@jest/globals';
import { createProbeWorld, type ProbeWorld } from '../../../helpers/probe-world.ts';

describe('createCreateTopic', () => {
  let world: ProbeWorld;
  beforeEach(async () => {
    world = await createProbeWorld();
  });

  const create = (changes: Partial<Parameters<ProbeWorld['createTopic']>[0]> = {}) =>
    world.createTopic({ clusterId: 'business', topic: 'orders', type: 'FIFO', queues: 2, ...changes });

  it('creates a topic on the cluster and registers it', async () => {
    await world.openAdmin();
    expect(await create()).toMatchObject({
      created: true,
      topic: { clusterId: 'business', topic: 'orders', type: 'FIFO' },
      onCluster: { topic: 'orders', type: 'FIFO', queues: 2 },
      warnings: [],
    });
    expect(await world.admin.getTopic('orders')).toEqual({ topic: 'orders', type: 'FIFO', queues: 2 });
    expect(await world.clusters.getTopic('business', 'orders')).toMatchObject({ type: 'FIFO' });
    expect(await create({ queues: 5 })).toMatchObject({ created: false, onCluster: { queues: 2 } });
  });

  it('registers nothing that the cluster refuses', async () => {
    await world.openAdmin();
    await world.admin.createTopic({ topic: 'orders', type: 'NORMAL', queues: 1 });
    await expect(create()).rejects.toMatchObject({ status: 409, code: 'TOPIC_EXISTS' });
    expect(await world.clusters.getTopic('business', 'orders')).toBeUndefined();
  });

  it('says what to do where the cluster cannot be administrated', async () => {
    await expect(create()).rejects.toMatchObject({
      status: 409,
      code: 'NO_ADMIN_PORT',
      message: expect.stringContaining('PUT /clusters/business/topics/orders'),
    });
    expect(await world.clusters.getTopic('business', 'orders')).toBeUndefined();
  });

  it.each([
    { what: 'a name that RocketMQ does not take', changes: { topic: 'a b' }, code: 'ROCKETMQ_TOPIC_INVALID' },
    { what: 'a system topic', changes: { topic: 'TBW102' }, code: 'ROCKETMQ_TOPIC_INVALID' },
    {
      what: 'a cluster of another kind',
      changes: { clusterId: 'devices' },
      code: 'TOPICS_NEED_ROCKETMQ',
    },
    {
      what: 'a cluster that is not there',
      changes: { clusterId: 'nobody' },
      code: 'CLUSTER_NOT_FOUND',
    },
  ])('refuses $what, and asks no broker', async ({ changes, code }) => {
    await world.openAdmin();
    world.admin.fail(new Error('the broker was asked') as never);
    await expect(create(changes)).rejects.toMatchObject({ code });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RocketmqMessageType } from '../../../../lib/domain/clusters/cluster.ts';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

describe('createPutTopic', () => {
  let world: ControlWorld;
  beforeEach(async () => {
    world = await createControlWorld();
  });

  const put = (topic: string, type: RocketmqMessageType, clusterId = 'business') =>
    world.putTopic({ clusterId, topic, type });

  it('registers a topic and corrects its type', async () => {
    expect(await put('orders', 'FIFO')).toMatchObject({
      created: true,
      topic: { topic: 'orders', type: 'FIFO' },
      warnings: [],
    });
    expect(await put('orders', 'NORMAL')).toMatchObject({ created: false, warnings: [] });
  });

  it('warns when the type of a topic changes that tasks send to', async () => {
    await world.createTask({ body: definitionWith(), startNow: false });
    expect((await put('charger_status', 'NORMAL')).warnings).toEqual([]);
    expect((await put('charger_status', 'FIFO')).warnings).toEqual([
      expect.objectContaining({ field: 'type', code: 'TOPIC_TYPE_OF_USED_TOPIC' }),
    ]);
  });

  it.each(['has space', '%RETRY%a', 'TBW102', 'a'.repeat(128)])('refuses the name %j', async (topic) => {
    await expect(put(topic, 'NORMAL')).rejects.toMatchObject({
      status: 400,
      code: 'ROCKETMQ_TOPIC_INVALID',
      errors: [{ field: 'topic' }],
    });
  });

  it('refuses a cluster of another kind, and one that is not there', async () => {
    await expect(put('a', 'NORMAL', 'devices')).rejects.toMatchObject({
      status: 400,
      code: 'TOPICS_NEED_ROCKETMQ',
    });
    await expect(put('a', 'NORMAL', 'nobody')).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryRocketmqAdmins } from '../../../../lib/adapters/memory/rocketmq-admin.ts';
import { createListTopics, type ListedTopic } from '../../../../lib/control/clusters/list-topics.ts';
import type { RegisteredTopic } from '../../../../lib/domain/clusters/cluster.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { RocketmqAdmin } from '../../../../lib/ports/rocketmq-admin.ts';
import { createProbeWorld, type ProbeWorld } from '../../../helpers/probe-world.ts';

let world: ProbeWorld;
beforeEach(async () => {
  world = await createProbeWorld();
});

const list = (clusterId = 'business') => world.listTopics({ clusterId, limit: 100 });

describe('createListTopics', () => {
  it('lists the registered topics of a cluster that cannot be administrated', async () => {
    await world.admin.createTopic({ topic: 'orders', type: 'FIFO', queues: 2 });
    const [registered, ...others] = (await list()).items;
    expect(others).toEqual([]);
    expect(registered).toEqual({
      clusterId: 'business',
      topic: 'charger_status',
      type: 'NORMAL',
      registered: true,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
  });

  it('joins them with those of the cluster, and shows where both differ', async () => {
    await world.openAdmin();
    await world.admin.createTopic({ topic: 'charger_status', type: 'FIFO', queues: 3 });
    await world.admin.createTopic({ topic: 'orders', type: 'FIFO', queues: 2 });
    await world.putTopic({ clusterId: 'business', topic: 'gone', type: 'NORMAL' });
    const { items, ...rest } = await list();
    expect(rest).toEqual({});
    expect(items).toEqual([
      expect.objectContaining({
        topic: 'charger_status',
        type: 'NORMAL',
        registered: true,
        onCluster: true,
        typeOnCluster: 'FIFO',
        queues: 3,
      }),
      expect.objectContaining({ topic: 'gone', type: 'NORMAL', registered: true, onCluster: false }),
      {
        clusterId: 'business',
        topic: 'orders',
        type: 'FIFO',
        registered: false,
        onCluster: true,
        typeOnCluster: 'FIFO',
        queues: 2,
      },
    ]);
  });

  it('warns when the cluster cannot be asked, and lists the registered ones', async () => {
    await world.openAdmin();
    const hint = 'Check the name server.';
    world.admin.fail(new BrokerUnavailableError('no connection', { code: 'ADMIN_UNREACHABLE', hint }));
    const { items, warnings } = await list();
    expect(items).toEqual([expect.objectContaining({ topic: 'charger_status', registered: true })]);
    expect(items[0]).not.toHaveProperty('onCluster');
    expect(warnings).toEqual([
      { field: '', code: 'ADMIN_UNREACHABLE', message: 'no connection. Check the name server.' },
    ]);
  });

  it('does not hide a defect of ours', async () => {
    await world.openAdmin();
    world.admin.fail(new TypeError('ours') as never);
    await expect(list()).rejects.toThrow('ours');
  });

  it('knows no topics of another kind of cluster, and no cluster that is not there', async () => {
    expect(await list('devices')).toEqual({ items: [] });
    await expect(list('nobody')).rejects.toMatchObject({ status: 404, code: 'CLUSTER_NOT_FOUND' });
  });

  it.each(['x', Buffer.from('["cluster-topics/business","no JSON"]').toString('base64url')])(
    'refuses the cursor %j',
    async (cursor) => {
      await expect(world.listTopics({ clusterId: 'business', limit: 1, cursor })).rejects.toMatchObject({
        code: 'CURSOR_INVALID',
      });
    },
  );

  it('takes no cursor of another cluster', async () => {
    await world.putTopic({ clusterId: 'business', topic: 'orders', type: 'FIFO' });
    const { nextCursor } = await world.listTopics({ clusterId: 'business', limit: 1 });
    expect(nextCursor).toEqual(expect.any(String));
    const other = world.listTopics({ clusterId: 'devices', limit: 1, cursor: nextCursor });
    await expect(other).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('lists each topic once and in order, however many there are on either side, page by page', async () => {
    await world.openAdmin();
    const business = await world.clusters.get('business');
    const name = fc.stringMatching(/^[a-c]{1,4}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { maxLength: 60 }),
        fc.uniqueArray(name, { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        async (registered, onCluster, readLimit, limit) => {
          const listTopics = createListTopics({
            clusters: { get: async () => business, listTopics: pagesOf(registered, readLimit) },
            admins: createMemoryRocketmqAdmins({
              listTopics: async () =>
                onCluster.map((topic) => ({ topic, type: 'NORMAL' as const, queues: 1 })),
            } as Partial<RocketmqAdmin> as RocketmqAdmin),
          });
          const listed: ListedTopic[] = [];
          let cursor: string | undefined;
          for (let pages = 0; pages < 300; pages += 1) {
            const page = await listTopics({ clusterId: 'business', limit, cursor });
            expect(page.items.length).toBeLessThanOrEqual(limit);
            listed.push(...page.items);
            cursor = page.nextCursor;
            if (cursor === undefined) break;
          }
          expect(cursor).toBeUndefined();
          expect(listed.map(({ topic }) => topic)).toEqual(
            [...new Set([...registered, ...onCluster])].sort(),
          );
          for (const { topic, ...one } of listed) {
            expect(one).toMatchObject({
              registered: registered.includes(topic),
              onCluster: onCluster.includes(topic),
            });
          }
        },
      ),
    );
  });
});

/** A store whose pages are no larger than this, whatever was asked for: its cursors are names. */
function pagesOf(topics: readonly string[], size: number) {
  const sorted = [...topics].sort();
  return async (clusterId: string, { cursor = '' }: { cursor?: string }) => {
    const later = sorted.filter((topic) => topic > cursor);
    const items = later.slice(0, size).map(
      (topic): RegisteredTopic => ({
        clusterId,
        topic,
        type: 'NORMAL',
        createdAt: '2026-01-01T00:00:00.000Z',
        updatedAt: '2026-01-01T00:00:00.000Z',
      }),
    );
    const last = items.at(-1);
    return { items, ...(last !== undefined && later.length > size ? { nextCursor: last.topic } : {}) };
  };
}

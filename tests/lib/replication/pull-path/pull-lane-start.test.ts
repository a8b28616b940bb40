import { describe, expect, it } from '@jest/globals';
import type { RocketmqAdmin } from '../../../../lib/ports/rocketmq-admin.ts';
import { COMMANDS, createPullWorld, ORDERED } from '../../../helpers/pull-world.ts';

describe('createPullLane', () => {
  it('skips what was born before its start, where no admin port can set the position', async () => {
    const world = createPullWorld();
    world.put('old', {}, world.clock.now() - 1);
    await world.open();
    world.put('new');
    await world.settle();
    expect(world.texts()).toEqual(['new']);
    expect(world.left()).toEqual([]);
  });

  it('lets a named group go on where it stands, where no admin port can set the position', async () => {
    const world = createPullWorld({ source: { consumerGroup: 'office' } });
    world.put('old', {}, world.clock.now() - 1);
    await world.open();
    await world.settle();
    expect(world.texts()).toEqual(['old']);
  });

  it('skips no longer than until it has caught up, whatever the clock of a producer says', async () => {
    const world = createPullWorld();
    const bornBefore = world.clock.now() - 1;
    world.put('old', {}, bornBefore);
    const { remembered } = await world.open();
    await world.clock.advance(15_000);
    world.put('slow clock', {}, bornBefore);
    await world.settle();
    expect(world.texts()).toEqual(['slow clock']);
    expect(remembered).toHaveLength(1);
    await world.open({ memory: remembered[0] ?? {} });
    world.put('slow clock again', {}, bornBefore);
    await world.settle();
    expect(world.texts()).toEqual(['slow clock', 'slow clock again']);
  });

  describe('with an admin port', () => {
    const recordingAdmin = () => {
      const calls: unknown[] = [];
      const note =
        (name: string) =>
        async (...args: unknown[]) => {
          calls.push([name, ...args]);
        };
      const admin = {
        ensureGroup: note('ensureGroup'),
        resetPosition: note('resetPosition'),
        deleteGroup: note('deleteGroup'),
      } as unknown as RocketmqAdmin;
      return { admin, calls };
    };

    it('makes its group and sets its position once, before it receives', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin, source: { topic: ORDERED, startFrom: 'earliest' } });
      const { remembered } = await world.open();
      expect(calls).toEqual([
        ['ensureGroup', { consumerGroup: world.consumerGroup, isOrderly: true, retryMaxTimes: 1_000 }],
        [
          'resetPosition',
          { rocketmqTopic: ORDERED, consumerGroup: world.consumerGroup, position: 'earliest' },
        ],
      ]);
      expect(remembered).toMatchObject([
        { positionedFor: { rocketmqTopic: ORDERED, startFrom: 'earliest' } },
      ]);
      await world.open({ memory: remembered[0] ?? {} });
      expect(calls).toHaveLength(2);
    });

    it.each([{ topic: COMMANDS }, { consumerGroup: 'office' }, { startFrom: '2026-08-01T10:00:00Z' }])(
      'sets the position anew when an edit has made it another: %j',
      async (edit) => {
        const { admin, calls } = recordingAdmin();
        const source = { topic: ORDERED, startFrom: 'earliest' };
        const [memory] = (await createPullWorld({ admin, source }).open()).remembered;
        calls.length = 0;
        const world = createPullWorld({ admin, source: { ...source, ...edit } });
        await world.open({ memory: memory ?? {} });
        expect(calls.at(-1)).toMatchObject(['resetPosition', expect.anything()]);
      },
    );

    it('moves no group on a lease that it has lost', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin });
      world.loseLease();
      const { lane } = await world.open();
      expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'NOT_POSITIONED_YET' } });
      expect(calls).toEqual([]);
    });

    it('waits with its other lanes until the first has set the position', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin });
      const { lane } = await world.open({ lane: 1 });
      expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'NOT_POSITIONED_YET' } });
      const [firstLaneMemory] = (await world.open()).remembered;
      const before = calls.length;
      const second = await world.open({ lane: 1, firstLaneMemory: firstLaneMemory ?? {} });
      expect(second.lane.isEffective()).toBe(true);
      expect(calls).toHaveLength(before);
    });

    it('deletes its groups with the task, but none that its user has named', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin });
      const { lane } = await world.open({ mode: 'end' });
      expect(await lane.ended).toEqual({ reason: 'done' });
      expect(calls).toEqual([
        ['deleteGroup', world.consumerGroup],
        ['deleteGroup', `${world.consumerGroup}_moved`],
      ]);
      const named = createPullWorld({ admin, source: { consumerGroup: 'office' } });
      expect(await (await named.open({ mode: 'end' })).lane.ended).toEqual({ reason: 'done' });
      expect(calls.slice(2)).toEqual([['deleteGroup', 'office_moved']]);
    });
  });

  it('keeps as dead letters what RocketMQ has moved away from its group', async () => {
    const world = createPullWorld({ hasMoved: true });
    world.consumers.put(
      { rocketmqTopic: world.movedTopic, body: Buffer.from('moved'), keys: [], properties: new Map() },
      {},
    );
    await world.open();
    await world.clock.advance(1_000);
    expect(await world.dead()).toMatchObject([{ code: 'MOVED_BY_ROCKETMQ', origin: 'pull' }]);
    expect(world.consumers.unacknowledged(world.movedTopic, `${world.consumerGroup}_moved`)).toEqual([]);
  });
});

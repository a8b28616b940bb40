import { describe, expect, it } from '@jest/globals';
import {
  BridgeError,
  BrokerHoldError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import { COMMANDS, createPullWorld, ORDERED } from '../../../helpers/pull-world.ts';

const MINUTE_MS = 60_000;
const odd = new BrokerUnavailableError('unspecified error', { code: 'TARGET_ERROR' });

describe('createPullLane', () => {
  it('begins no receive once it drains', async () => {
    const world = createPullWorld({ maxHeldBytes: 1 });
    const { lane } = await world.open();
    const answer = Promise.withResolvers<undefined>();
    world.publisher.decide(() => answer.promise);
    world.put('fills the lane');
    await world.clock.advance(1_000);
    const received = world.consumers.calls.receive;
    const drained = lane.drain(8_000);
    answer.resolve(undefined);
    await world.clock.advance(8_000);
    await drained;
    expect(world.consumers.calls.receive).toBe(received);
  });

  it('publishes nothing more once the lease is lost', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    world.publisher.goAway();
    world.put('open');
    await world.clock.advance(1_000);
    world.loseLease();
    world.publisher.comeBack();
    await world.clock.advance(30_000);
    expect(world.texts()).toEqual([]);
    await world.close(lane);
    expect(await lane.ended).toEqual({ reason: 'closed' });
  });

  it.each([COMMANDS, ORDERED])(
    'hands back what it holds, and what its receives under way still bring, once the lease is lost: of %s',
    async (rocketmqTopic) => {
      const world = createPullWorld({ source: { topic: rocketmqTopic } });
      const { lane } = await world.open();
      world.publisher.goAway();
      world.put('held', { rocketmqTopic, messageGroup: 'one' });
      await world.clock.advance(1_000);
      world.loseLease();
      const closed = lane.close();
      await world.settle();
      // Its connection is the first to go: the next owner has the same client id.
      expect(world.closedPublishers()).toBe(1);
      world.put('late', { rocketmqTopic, messageGroup: 'another' });
      await world.clock.advance(5_000);
      await closed;
      expect(world.left(rocketmqTopic).toSorted()).toEqual(['held', 'late']);
      world.publisher.comeBack();
      world.regainLease();
      await world.open();
      await world.clock.advance(1_500);
      expect(world.texts().toSorted()).toEqual(['held', 'late']);
      expect(world.left(rocketmqTopic)).toEqual([]);
    },
  );

  it('ends when another client takes its client id, and does not connect again', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    let attempts = 0;
    world.publisher.decide(() => {
      attempts += 1;
      return new BrokerHoldError('session taken over', { code: 'CLIENT_ID_TAKEN', scope: 'cluster' });
    });
    world.put('open');
    await world.clock.advance(MINUTE_MS);
    expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'CLIENT_ID_TAKEN' } });
    expect(attempts).toBe(1);
    expect(world.left()).toEqual(['open']);
    // Not told to the task: it may be our own successor.
    expect(world.health).not.toContainEqual(expect.objectContaining({ code: 'CLIENT_ID_TAKEN' }));
  });

  it('drains: what is under way is settled, what is not goes back soon', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    const answer = Promise.withResolvers<undefined>();
    world.publisher.decide(({ payload }) => (payload.toString() === 'slow' ? answer.promise : odd));
    world.put('slow');
    world.put('failing');
    await world.clock.advance(100);
    const drained = lane.drain(5_000);
    answer.resolve(undefined);
    await world.settle();
    await drained;
    expect(world.texts()).toEqual(['slow']);
    expect(world.left()).toEqual(['failing']);
    world.put('later');
    await world.clock.advance(MINUTE_MS);
    expect(world.texts()).toEqual(['slow']);
    await world.close(lane);
    const second = await world.open();
    world.publisher.decide(() => undefined);
    await world.clock.advance(MINUTE_MS);
    expect(world.texts().toSorted()).toEqual(['failing', 'later', 'slow']);
    await world.close(second.lane);
  });

  it.each([COMMANDS, ORDERED])(
    'carries what receives under way still bring when it drains: from %s',
    async (rocketmqTopic) => {
      const world = createPullWorld({ source: { topic: rocketmqTopic } });
      const { lane } = await world.open();
      const drained = lane.drain(8_000);
      world.put('late', { rocketmqTopic });
      await world.settle();
      expect(world.texts()).toEqual(['late']);
      expect(world.left(rocketmqTopic)).toEqual([]);
      // Then no more are begun.
      await world.clock.advance(5_000);
      await drained;
      world.put('later', { rocketmqTopic });
      await world.settle();
      expect(world.left(rocketmqTopic)).toEqual(['later']);
      await world.close(lane);
      const second = await world.open();
      await world.clock.advance(100);
      expect(world.texts()).toEqual(['late', 'later']);
      await world.close(second.lane);
    },
  );

  it('ends, and says why, when an end is not there', async () => {
    const world = createPullWorld();
    world.publisher.goAway();
    const { lane } = await world.open();
    const end = await lane.ended;
    expect(end).toMatchObject({ reason: 'failed', error: expect.any(BridgeError) });
    expect(lane.isEffective()).toBe(false);
    expect(world.closedPublishers()).toBe(1);
  });
});

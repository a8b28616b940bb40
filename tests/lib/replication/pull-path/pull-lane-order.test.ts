import { describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { createPullWorld, ORDERED } from '../../../helpers/pull-world.ts';

const MINUTE_MS = 60_000;
const odd = new BrokerUnavailableError('unspecified error', { code: 'TARGET_ERROR' });

describe('createPullLane', () => {
  describe('from a FIFO topic', () => {
    const ordered = () => createPullWorld({ source: { topic: ORDERED } });
    const put = (world: ReturnType<typeof ordered>, group: string, number: number) =>
      world.put(`${group} ${number}`, { rocketmqTopic: ORDERED, messageGroup: group });

    it('keeps the order of each message group, through failures', async () => {
      const world = ordered();
      await world.open();
      let chance = 1;
      world.publisher.decide(() => {
        chance = (chance * 16_807) % 2_147_483_647;
        return chance % 3 === 0 ? odd : undefined;
      });
      const groups = ['a', 'b', 'c', 'd', 'e'];
      for (let number = 0; number < 40; number += 1) for (const group of groups) put(world, group, number);
      await world.clock.advance(20 * MINUTE_MS);
      for (const group of groups) {
        const own = world.texts().filter((text) => text.startsWith(group));
        expect(own).toEqual(Array.from({ length: 40 }, (_, number) => `${group} ${number}`));
      }
      expect(world.left(ORDERED)).toEqual([]);
    });

    it('receives from a broker that was added later', async () => {
      const world = ordered();
      const { open } = world.consumers;
      let isAdded = false;
      world.consumers.open = async (...args) => {
        const consumer = await open(...args);
        return { ...consumer, brokers: async () => (isAdded ? consumer.brokers() : []) };
      };
      await world.open();
      put(world, 'a', 1);
      await world.clock.advance(MINUTE_MS);
      expect(world.texts()).toEqual([]);
      isAdded = true;
      await world.clock.advance(MINUTE_MS);
      expect(world.texts()).toEqual(['a 1']);
      await world.clock.advance(MINUTE_MS / 2);
      // One receiver, 5 s a receive.
      expect(world.consumers.calls.receive).toBeLessThan(20);
    });

    it('stops behind a message that cannot go yet, and acknowledges only what is before it', async () => {
      const world = ordered();
      await world.open();
      world.publisher.decide(({ payload }) => (payload.toString() === 'a 1' ? odd : undefined));
      for (let number = 0; number < 4; number += 1) put(world, 'a', number);
      await world.clock.advance(2_000);
      expect(world.texts()).toEqual(['a 0']);
      world.publisher.decide(() => undefined);
      await world.clock.advance(5_000);
      expect(world.texts()).toEqual(['a 0', 'a 1', 'a 2', 'a 3']);
      expect(world.left(ORDERED)).toEqual([]);
    });

    it('does not stand still behind a message that can never go', async () => {
      const world = ordered();
      await world.open();
      world.put('a bad', { rocketmqTopic: ORDERED, messageGroup: 'a', keys: [] });
      put(world, 'a', 1);
      await world.clock.advance(1_000);
      expect(world.texts()).toEqual(['a 1']);
      expect(await world.dead()).toHaveLength(1);
      expect(world.left(ORDERED)).toEqual([]);
    });
  });
});

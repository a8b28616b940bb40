import { describe, expect, it } from '@jest/globals';
import { BrokerHoldError, BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { createPullWorld } from '../../../helpers/pull-world.ts';

const away = new BrokerUnavailableError('no answer', { code: 'TARGET_TIMEOUT' });
const denied = new BrokerHoldError('no right', { code: 'ACCESS_DENIED', scope: 'topic' });

/** Acknowledgements go out a turn later. */
async function pass(world: ReturnType<typeof createPullWorld>): Promise<void> {
  for (let second = 0; second < 5; second += 1) {
    await world.clock.advance(1_000);
    await world.settle();
  }
}

describe('acknowledgements of a pull', () => {
  it.each([away, denied])(
    'that do not go through are told: a lane that is full asks RocketMQ for nothing else',
    async (error) => {
      const world = createPullWorld({});
      await world.open();
      world.consumers.decide((call) => (call === 'ack' ? error : undefined));
      world.put('published');
      await pass(world);
      expect(world.texts()).toEqual(['published']);
      expect(world.health).toContain(error);
    },
  );

  it('go out once after the lease was lost, too: of a FIFO topic everything else would wait for their time to end', async () => {
    const world = createPullWorld({});
    await world.open();
    const answer = Promise.withResolvers<undefined>();
    world.publisher.decide(() => answer.promise);
    world.put('published');
    await pass(world);
    world.loseLease();
    answer.resolve(undefined);
    await pass(world);
    expect(world.texts()).toEqual(['published']);
    expect(world.left()).toEqual([]);
  });

  it('are asked for again, and nobody is told where that helps', async () => {
    const world = createPullWorld({});
    await world.open();
    world.put('published');
    await pass(world);
    expect(world.left()).toEqual([]);
    expect(new Set(world.health)).toEqual(new Set(['working']));
  });
});

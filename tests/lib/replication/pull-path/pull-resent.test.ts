import { describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { createPullWorld } from '../../../helpers/pull-world.ts';

const MARK = ['mqferry_resent', '1'];

/** Of each publication of this text, whether it says that it may be another copy. */
function marks(world: ReturnType<typeof createPullWorld>, text: string): boolean[] {
  return world.publisher.published
    .filter(({ payload }) => payload.toString() === text)
    .map(({ userProperties }) => userProperties.some((one) => one.join() === MARK.join()));
}

describe('the mark of being sent again, of a pull', () => {
  it('is on what is published again without an answer to the first time, and on nothing else', async () => {
    const world = createPullWorld({});
    await world.open();
    let tries = 0;
    world.publisher.decide(({ payload }) => {
      if (payload.toString() !== 'unanswered') return undefined;
      tries += 1;
      return tries === 1 ? new BrokerUnavailableError('no answer', { maybeStored: true }) : undefined;
    });
    world.put('unanswered');
    world.put('answered');
    await world.clock.advance(20_000);
    expect(marks(world, 'unanswered')).toEqual([false, true]);
    expect(marks(world, 'answered')).toEqual([false]);
  });

  it('is on none whose first try never left', async () => {
    const world = createPullWorld({});
    await world.open();
    let tries = 0;
    world.publisher.decide(() => {
      tries += 1;
      return tries === 1 ? new BrokerUnavailableError('refused') : undefined;
    });
    world.put('refused');
    await world.clock.advance(20_000);
    expect(marks(world, 'refused')).toEqual([false]);
  });

  it('is on what RocketMQ delivers again: who had it before may have published it', async () => {
    const world = createPullWorld({});
    const { lane } = await world.open();
    world.publisher.goAway();
    world.put('left behind');
    await world.clock.advance(3_000);
    await world.close(lane);
    world.publisher.comeBack();
    await world.open();
    await world.clock.advance(60_000);
    expect(marks(world, 'left behind')).toEqual([true]);
  });
});

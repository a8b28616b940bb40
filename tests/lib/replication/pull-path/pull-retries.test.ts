import { describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { COMMANDS, createPullWorld, ORDERED } from '../../../helpers/pull-world.ts';

const odd = new BrokerUnavailableError('unspecified error', { code: 'TARGET_ERROR' });
const backoff = { retry: { preset: 'backoff' } };
type World = ReturnType<typeof createPullWorld>;

function failFor(world: World, text: string): number[] {
  const triedAtMs: number[] = [];
  world.publisher.decide(({ payload }) => {
    if (payload.toString() !== text) return undefined;
    triedAtMs.push(world.clock.now());
    return odd;
  });
  return triedAtMs;
}

/** A message each second for so long. */
async function flow(world: World, seconds: number, message: object = {}): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    world.put('good', message);
    await world.clock.advance(1_000);
  }
}

describe('options.retry of a pull', () => {
  it('gives a message up that fails three times more while its target takes others, 10 to 20 s apart', async () => {
    const world = createPullWorld({ options: backoff });
    await world.open();
    const triedAtMs = failFor(world, 'bad');
    world.put('bad');
    await flow(world, 70);
    const dead = await world.dead();
    expect(dead).toMatchObject([
      { code: 'RETRIES_EXHAUSTED', lastCode: 'TARGET_ERROR', tries: 3, attempts: 1, origin: 'pull' },
    ]);
    expect(world.left()).toEqual([]);
    const [third = 0, second = 0] = [triedAtMs.at(-1), triedAtMs.at(-2)];
    expect(third - second).toBe(15_000);
    // While it waits it keeps nobody from going.
    expect(world.texts()).toHaveLength(70);
  });

  it('counts nothing while the target is away, however long', async () => {
    const world = createPullWorld({ options: backoff });
    await world.open();
    await flow(world, 3);
    world.publisher.goAway();
    world.put('kept');
    await world.clock.advance(3 * 3_600_000);
    expect(await world.dead()).toEqual([]);
    world.publisher.comeBack();
    await world.clock.advance(10_000);
    expect(world.texts()).toContain('kept');
    expect(await world.dead()).toEqual([]);
  });

  it('goes on counting where the lane before has stopped', async () => {
    const world = createPullWorld({ options: backoff });
    const { lane } = await world.open();
    failFor(world, 'bad');
    world.put('bad');
    await flow(world, 20);
    expect(await world.dead()).toEqual([]);
    await world.close(lane);
    await world.open();
    await flow(world, 45);
    expect(await world.dead()).toMatchObject([{ code: 'RETRIES_EXHAUSTED', tries: 3 }]);
  });

  it('holds the group of the message, lets others pass, and goes on with the group when it is given up', async () => {
    const world = createPullWorld({ source: { topic: ORDERED }, options: backoff });
    await world.open();
    failFor(world, 'a.0');
    const of = (messageGroup: string) => ({ rocketmqTopic: ORDERED, messageGroup });
    for (const text of ['a.0', 'a.1']) world.put(text, of('a'));
    await flow(world, 20, of('b'));
    expect(world.texts()).not.toContain('a.1');
    expect(world.texts()).toContain('good');
    await flow(world, 60, of('b'));
    expect(await world.dead()).toMatchObject([{ code: 'RETRIES_EXHAUSTED', tries: 3 }]);
    expect(world.texts()).toContain('a.1');
    await world.clock.advance(1_000);
    expect(world.left(ORDERED)).toEqual([]);
  });

  it('ends at 16 tries by default, close together', async () => {
    const world = createPullWorld();
    await world.open();
    failFor(world, 'bad');
    world.put('bad');
    await flow(world, 60);
    expect(await world.dead()).toMatchObject([{ code: 'TARGET_ERROR' }]);
    expect(world.left(COMMANDS)).toEqual([]);
  });
});

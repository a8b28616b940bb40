import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createLaneWorld, sessionTask } from '../../../helpers/session-lane.ts';

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `m${from + index}`);

/** How many calls of the producer a session lane has under way, where RocketMQ does not answer before it is told to. */
describe('calls of a session lane', () => {
  // Calls that are never answered leave their timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  async function begin(target: object = { topic: 'charger_status' }) {
    const task = sessionTask({ target: { clusterId: 'business', ...target } });
    const world = createLaneWorld({ task });
    const answer = Promise.withResolvers<undefined>();
    world.producer.decide(() => answer.promise);
    world.open();
    await world.settle();
    return {
      world,
      answer: () => answer.resolve(undefined),
      async publish(count: number, topicName?: (payload: string) => string) {
        world.publish(numbered(count), topicName);
        await world.settle();
        return world.producer.sends;
      },
    };
  }

  it('is one while few wait, which go together with the next', async () => {
    const { world, publish, answer } = await begin();
    expect(await publish(1)).toBe(1);
    expect(await publish(20)).toBe(1);
    answer();
    await world.settle();
    expect(world.producer.sends).toBe(2);
    expect(world.bodies()).toHaveLength(21);
  });

  it('is one more for each 32 that wait, up to four', async () => {
    const { publish } = await begin();
    await publish(1);
    expect(await publish(31)).toBe(1);
    expect(await publish(1)).toBe(2);
    expect(await publish(64)).toBe(3);
    expect(await publish(96)).toBe(4);
    expect(await publish(500)).toBe(4);
  });

  it('is one more where those under way have had no answer for 20 ms', async () => {
    const { world, publish } = await begin();
    await publish(1);
    await world.clock.advance(19);
    expect(await publish(1)).toBe(1);
    await world.clock.advance(1);
    expect(await publish(1)).toBe(2);
  });

  it('is one for each topic of RocketMQ', async () => {
    const { publish } = await begin({ topic: '${topic[2]}' });
    expect(
      await publish(3, (payload) => `stations/charger_${payload === 'm1' ? 'status' : 'commands'}`),
    ).toBe(2);
  });
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { BrokerHoldError, BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { createLaneWorld, sessionTask } from '../../../helpers/session-lane.ts';

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `m${from + index}`);
const away = () => new BrokerUnavailableError('away');
const never = () => new Promise<undefined>(() => {});

describe('createSessionLane', () => {
  // Calls that are never answered leave their timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  describe('when the target is away', () => {
    it('overflows into the queue of the task, and comes back by itself', async () => {
      const world = createLaneWorld();
      world.open();
      await world.settle();
      world.publish(numbered(5));
      await world.settle();
      world.producer.decide(never);
      world.publish(numbered(20, 5));
      await world.pass(2_500);
      expect(world.queued().toSorted()).toEqual(numbered(20, 5).toSorted());
      expect(world.kept()).toBe(0);
      expect(world.reports).toEqual([true]);
      expect(world.control.woken).toEqual([world.task.taskId]);
      expect(world.health.at(-1)).toBe('TARGET_TIMEOUT');

      world.publish(numbered(20, 25));
      await world.pass(1_000);
      expect(world.kept()).toBe(0);
      world.producer.decide(() => undefined);
      await world.pass(3_000);
      world.publish(numbered(30, 45));
      await world.pass(1_000);
      expect(world.health.at(-1)).toBe('working');
      world.publish(['last']);
      await world.settle();
      expect(world.bodies().at(-1)).toBe('last');
      expect(new Set([...world.bodies(), ...world.queued()])).toEqual(new Set([...numbered(75), 'last']));
      await world.pass(12_000);
      expect(world.reports).toEqual([true, false]);
    });

    it('says before the first message that it is not reached, or has no such topic, and asks on', async () => {
      const world = createLaneWorld();
      let isThere = false;
      world.producer.check = async () => {
        if (!isThere) throw away();
      };
      const lane = world.open();
      await world.pass(5_000);
      expect(world.health).toEqual([away().code]);
      expect(lane.isEffective()).toBe(false);
      isThere = true;
      await world.pass(3_000);
      expect(world.health.at(-1)).toBe('working');
      expect(lane.isEffective()).toBe(true);
    });

    it('asks for it without a message, when nothing has come for a minute', async () => {
      const world = createLaneWorld();
      world.open();
      await world.settle();
      world.producer.decide(away);
      world.publish(numbered(3));
      await world.pass(5_000);
      expect(world.health.at(-1)).toBe(away().code);
      await world.pass(60_000);
      expect(world.health.at(-1)).toBe('working');
    });

    it('overflows within a second when the window is full', async () => {
      const world = createLaneWorld({ receiveMaximum: 10 });
      world.producer.decide(away);
      world.open();
      await world.settle();
      world.publish(numbered(40));
      await world.pass(1_200);
      expect(world.queued().length).toBeGreaterThan(25);
      await world.pass(1_000);
      expect(world.kept()).toBe(0);
    });

    it('loses nothing of a broker that keeps a thousand: 30 s at 200 a second', async () => {
      const world = createLaneWorld({ queueLimit: 1_000, receiveMaximum: 50 });
      world.open();
      await world.settle();
      let next = 0;
      for (let step = 0; step < 35 * 20; step += 1) {
        if (step === 20) world.producer.decide(never);
        if (step === 31 * 20) world.producer.decide(() => undefined);
        world.publish(numbered(10, next));
        next += 10;
        await world.pass(50);
      }
      await world.pass(3_000);
      expect(world.kept()).toBe(0);
      expect(new Set([...world.bodies(), ...world.queued()]).size).toBe(next);
    });

    it('puts a message that waits for itself into the queue after five seconds', async () => {
      const world = createLaneWorld({
        task: sessionTask({ target: { clusterId: 'business', topic: '${payload.topic}' } }),
      });
      world.producer.decide(({ rocketmqTopic }) => (rocketmqTopic === 'other' ? away() : undefined));
      world.open();
      await world.settle();
      for (let second = 0; second < 6; second += 1) {
        world.publish(['{"topic":"charger_status"}']);
        if (second === 0) world.publish(['{"topic":"other"}']);
        await world.pass(1_000);
      }
      expect(world.queued()).toEqual(['{"topic":"other"}']);
      expect(world.kept()).toBe(0);
    });

    it('holds what a person has to repair, and says so', async () => {
      const world = createLaneWorld();
      world.producer.decide(
        () => new BrokerHoldError('no access', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' }),
      );
      world.open();
      await world.settle();
      world.publish(numbered(3));
      await world.settle();
      expect(world.health).toEqual(['working', 'CREDENTIALS_REFUSED']);
      expect(world.kept()).toBe(3);
      await world.pass(3_000);
      expect(world.queued()).toEqual(numbered(3));
      expect(world.deadLetters.entries).toEqual([]);
    });

    it('leaves everything at the source where the task has no queue', async () => {
      const world = createLaneWorld({ task: sessionTask({}, { resources: { rules: {} } }) });
      world.producer.decide(away);
      world.open();
      await world.settle();
      world.publish(numbered(3));
      await world.pass(8_000);
      expect(world.kept()).toBe(3);
      expect(world.health.at(-1)).toBe('TARGET_UNAVAILABLE');
      world.producer.decide(() => undefined);
      await world.pass(3_000);
      expect(world.bodies()).toEqual(numbered(3));
      expect(world.health.at(-1)).toBe('working');
    });

    it('sends to the target again what the queue had not taken when it came back', async () => {
      const world = createLaneWorld();
      world.queue.decide(() => false);
      world.producer.decide(away);
      world.open();
      await world.settle();
      world.publish(numbered(300));
      await world.pass(4_000);
      expect(world.kept()).toBe(300);
      world.producer.decide(() => undefined);
      world.publish(['probe']);
      await world.pass(3_000);
      world.publish(['probe again']);
      await world.pass(3_000);
      expect(new Set(world.bodies())).toEqual(new Set([...numbered(300), 'probe', 'probe again']));
      expect(world.kept()).toBe(0);
    });
  });

  describe('a rendered topic that the cluster does not have', () => {
    const task = sessionTask({ target: { clusterId: 'business', topic: '${payload.topic}' } });

    it('makes a dead letter once the cluster has taken something else', async () => {
      const world = createLaneWorld({ task });
      world.open();
      await world.settle();
      world.publish(['{"topic":"unknown"}']);
      await world.pass(300);
      expect(world.deadLetters.entries).toEqual([]);
      world.publish(['{"topic":"other"}']);
      await world.pass(3_000);
      expect(world.deadLetters.entries).toMatchObject([{ code: 'TOPIC_NOT_FOUND' }]);
      expect(world.kept()).toBe(0);
    });

    it('is not believed of a cluster that takes nothing', async () => {
      const world = createLaneWorld({ task });
      world.producer.decide(
        () => new BrokerHoldError('no topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' }),
      );
      world.open();
      await world.settle();
      world.publish(['{"topic":"other"}', '{"topic":"unknown"}']);
      await world.pass(8_000);
      expect(world.deadLetters.entries).toEqual([]);
      expect(world.queued()).toHaveLength(2);
    });
  });
});

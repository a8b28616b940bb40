import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { createLaneWorld, orderedTask } from '../../../helpers/session-lane.ts';

const away = () => new BrokerUnavailableError('away');

describe('createSessionLane', () => {
  // Calls that are never answered leave their timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  describe('with order', () => {
    const topicOf = (payload: string) => `stations/${payload.split('.')[0]}`;
    const sequence = (group: string, count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => `${group}.${from + index}`);
    const ofGroup = (bodies: readonly string[], group: string) =>
      bodies.filter((body) => body.startsWith(`${group}.`));

    it('keeps each group in order over failures, and lets no group hold up another', async () => {
      const world = createLaneWorld({ task: orderedTask() });
      let failures = 6;
      world.producer.decide(({ body }) => {
        if (!body.toString().startsWith('a.') || failures === 0) return undefined;
        failures -= 1;
        return away();
      });
      world.open();
      await world.settle();
      world.publish(sequence('a', 30), topicOf);
      world.publish(sequence('b', 30), topicOf);
      await world.settle();
      expect(ofGroup(world.bodies('fifo'), 'b')).toEqual(sequence('b', 30));
      await world.pass(4_000);
      const all = [...world.bodies('fifo'), ...world.queued()];
      expect(ofGroup(all, 'a')).toEqual(sequence('a', 30));
      expect(world.kept()).toBe(0);
    });

    it('sends what belongs to a group with overflow behind it, until the queue is drained', async () => {
      const world = createLaneWorld({ task: orderedTask() });
      world.open();
      await world.settle();
      world.producer.decide(away);
      world.publish(sequence('a', 10), topicOf);
      await world.pass(2_500);
      expect(world.queued()).toEqual(sequence('a', 10));
      world.producer.decide(() => undefined);
      await world.pass(2_000);
      world.publish(sequence('b', 1), topicOf);
      world.publish(sequence('a', 5, 10), topicOf);
      await world.pass(1_000);
      expect(world.bodies('fifo')).toEqual(['b.0']);
      expect(world.queued()).toEqual(sequence('a', 15));

      const last = world.queue.records(world.queueUrl).at(-1);
      await world.groups.settled(world.task.taskId, last?.groupKey ?? '', last?.putId ?? '');
      await world.pass(2_500);
      expect(await world.groups.list(world.task.taskId)).toEqual([]);
      world.publish(sequence('a', 2, 15), topicOf);
      await world.settle();
      expect(ofGroup(world.bodies('fifo'), 'a')).toEqual(['a.15', 'a.16']);
      await world.pass(12_000);
      expect(world.reports).toEqual([true, false]);
    });

    it('knows as a new owner which groups have overflow', async () => {
      const world = createLaneWorld({ task: orderedTask() });
      world.producer.decide(away);
      const first = world.open();
      await world.settle();
      world.publish(sequence('a', 3), topicOf);
      await world.pass(2_500);
      await first.close();
      world.producer.decide(() => undefined);
      world.open();
      await world.settle();
      world.publish(sequence('a', 3, 3), topicOf);
      await world.pass(500);
      expect(world.bodies('fifo')).toEqual([]);
      expect(world.queued()).toEqual(sequence('a', 6));
    });

    it('tells of what an earlier owner has left, and no longer than it puts: its mark may never be settled', async () => {
      const world = createLaneWorld({ task: orderedTask() });
      const lost = { groupKey: 'stations/a', putId: ulid(world.clock.now()) };
      await world.groups.announce(world.task.taskId, [lost], world.clock.now());
      world.open();
      await world.settle();
      await world.pass(12_000);
      expect(world.reports).toEqual([true, false]);
      await world.groups.abandon(world.task.taskId, lost.groupKey, lost.putId);
      await world.pass(2_000);
      world.publish(sequence('a', 1), topicOf);
      await world.settle();
      expect(world.bodies('fifo')).toEqual(['a.0']);
    });

    it('keeps the order in the queue when some puts fail', async () => {
      const world = createLaneWorld({ task: orderedTask() });
      world.producer.decide(away);
      let calls = 0;
      world.queue.decide(() => {
        calls += 1;
        return calls % 4 !== 0;
      });
      world.open();
      await world.settle();
      world.publish(sequence('a', 20), topicOf);
      world.publish(sequence('b', 20), topicOf);
      await world.pass(12_000);
      expect(ofGroup(world.queued(), 'a')).toEqual(sequence('a', 20));
      expect(ofGroup(world.queued(), 'b')).toEqual(sequence('b', 20));
      expect(world.kept()).toBe(0);
    });

    it('puts again, behind, what the queue took although an earlier one of its group is missing', async () => {
      const taken: string[] = [];
      let isFirst = true;
      const world = createLaneWorld({
        task: orderedTask(),
        ports: {
          overflowQueue: {
            async put(_queueUrl, records) {
              const answers = records.map((_, index) => !isFirst || index !== 1);
              isFirst = false;
              taken.push(...records.filter((_, index) => answers[index]).map(({ putId }) => putId));
              return answers;
            },
          },
        },
      });
      world.open('buffer');
      await world.settle();
      world.publish(sequence('a', 3), topicOf);
      await world.pass(1_000);
      expect(world.kept()).toBe(0);
      // a.0 and a.2, then a.1 and again a.2 under a new id.
      expect(taken).toHaveLength(4);
      expect(new Set(taken).size).toBe(4);
      const [mark] = await world.groups.list(world.task.taskId);
      expect(mark?.lastPutId).toBe(taken.at(-1));
    });

    it('buffers in order, behind marks', async () => {
      const world = createLaneWorld({ task: orderedTask() });
      world.open('buffer');
      await world.settle();
      world.publish(sequence('a', 25), topicOf);
      await world.pass(200);
      expect(world.queued()).toEqual(sequence('a', 25));
      const last = world.queue.records(world.queueUrl).at(-1);
      expect(await world.groups.list(world.task.taskId)).toMatchObject([{ lastPutId: last?.putId }]);
    });
  });
});

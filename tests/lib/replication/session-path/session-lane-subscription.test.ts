import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { LaneMode } from '../../../../lib/ports/lane-leases.ts';
import { NOW_MS } from '../../../helpers/rule-path.ts';
import { createLaneWorld, sessionTask } from '../../../helpers/session-lane.ts';

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `m${from + index}`);
const never = () => new Promise<undefined>(() => {});

describe('createSessionLane', () => {
  // Calls that are never answered leave their timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  it('refuses overlapping filters of a broker that speaks MQTT 3.1.1', async () => {
    const source = { clusterId: 'factory', topicFilters: ['a/+', '+/b'] };
    const older = createLaneWorld({ task: sessionTask({ source }), protocolVersion: 4 });
    const lane = older.open();
    expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'TOPIC_FILTERS_OVERLAP' } });
    expect(older.broker.subscriptions(older.clientId)).toBeUndefined();
    const newer = createLaneWorld({ task: sessionTask({ source }) });
    const works = newer.open();
    await newer.settle();
    expect(works.isEffective()).toBe(true);
  });

  it('takes one copy of what several filters bring', async () => {
    const world = createLaneWorld({
      task: sessionTask({
        source: { clusterId: 'factory', topicFilters: ['stations/+/status', 'stations/7/+'] },
      }),
    });
    const lane = world.open();
    await world.settle();
    world.publish(['both']);
    world.publish(['second'], 'stations/7/error');
    await world.settle();
    expect(world.bodies()).toEqual(['both', 'second']);
    expect(world.kept()).toBe(0);
    await lane.close();
    const counts = { consumed: 2, replicated: 2, overlap: 1, retried: 0 };
    expect(world.logger.lines.at(-1)?.fields).toMatchObject(counts);
  });

  it('leaves out no copy while the session may still hold what came by other filters', async () => {
    const source = (topicFilters: string[]) => ({ source: { clusterId: 'factory', topicFilters } });
    const world = createLaneWorld({ task: sessionTask(source(['b', 'stations/7/+'])) });
    const first = world.open();
    await world.settle();
    await first.close();
    // The only copy, by what will be the second of two filters that match.
    world.publish(['only copy']);
    world.open('forward', sessionTask(source(['stations/+/status', 'stations/7/+']), { version: 4 }));
    await world.settle();
    expect(world.bodies()).toEqual(['only copy']);
    expect(world.kept()).toBe(0);
  });

  it('drops no copy that was queued alone, before an earlier filter came to overlap', async () => {
    const source = (topicFilters: string[]) => ({ source: { clusterId: 'factory', topicFilters } });
    const world = createLaneWorld({ task: sessionTask(source(['stations/+/status'])), receiveMaximum: 5 });
    const first = world.open();
    await world.settle();
    await first.close();
    world.publish(numbered(8));
    const edited = sessionTask(source(['stations/7/#', 'stations/+/status']), { version: 4 });
    world.producer.decide(never);
    const second = world.open('forward', edited);
    await world.settle();
    await second.close();
    world.producer.decide(() => undefined);
    const third = world.open('forward', edited);
    await world.settle();
    expect(world.bodies()).toEqual(numbered(8));
    expect(world.kept()).toBe(0);
    await third.close();
  });

  it('subscribes anew only when the filters have changed', async () => {
    const world = createLaneWorld();
    await world.open().close();
    const first = world.open();
    await world.settle();
    await first.close();
    const second = world.open();
    await world.settle();
    expect(world.broker.opened.at(-1)).toMatchObject({ mustSubscribe: false, removedTopicFilters: [] });
    await second.close();
    world.open('forward', sessionTask({ source: { clusterId: 'factory', topicFilters: ['a', 'b'] } }));
    await world.settle();
    expect(world.broker.opened.at(-1)).toMatchObject({
      mustSubscribe: true,
      removedTopicFilters: ['stations/#'],
      clientId: world.clientId,
    });
  });

  it('remembers before it subscribes whatever the session may then know', async () => {
    const world = createLaneWorld();
    world.memory = { subscribedFilters: ['old'], grantedQos: 1 };
    world.broker.refuse(new BrokerUnavailableError('away'), 'subscribe');
    const lane = world.open();
    expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'TARGET_UNAVAILABLE' } });
    expect(world.memory).toEqual({ subscribedFilters: ['stations/#', 'old'], sessionStartMs: NOW_MS });
  });

  describe('subscribes in the end', () => {
    const edited = () =>
      sessionTask({ source: { clusterId: 'factory', topicFilters: ['stations/#', 'b/#'] } });
    const oneLife = async (world: ReturnType<typeof createLaneWorld>, changed?: Task, mode?: LaneMode) => {
      const lane = world.open(mode, changed);
      await world.settle();
      await lane.close();
    };

    it.each(['connect', 'subscribe'] as const)('after an edit whose first %s is refused', async (packet) => {
      const world = createLaneWorld();
      await oneLife(world);
      world.broker.refuse(new BrokerUnavailableError('away'), packet);
      await oneLife(world, edited());
      world.broker.refuse(undefined, packet);
      await oneLife(world, edited());
      expect(world.broker.subscriptions(world.clientId)).toEqual(['stations/#', 'b/#']);
    });

    it('when the first SUBSCRIBE of a session that had run out is refused', async () => {
      const world = createLaneWorld();
      await oneLife(world);
      const options = world.broker.opened.at(-1);
      if (options === undefined) throw new Error('a session was opened');
      const { signal: _, ...rest } = options;
      await (await world.broker.sessions.open(rest, 0)).close({ endSession: true });
      world.broker.refuse(new BrokerUnavailableError('away'), 'subscribe');
      await oneLife(world);
      world.broker.refuse(undefined, 'subscribe');
      await oneLife(world);
      expect(world.broker.subscriptions(world.clientId)).toEqual(['stations/#']);
    });

    it('when a discard unsubscribed and could not say so any more', async () => {
      const world = createLaneWorld();
      await oneLife(world);
      const discarding = world.open('discard');
      const { memory } = world;
      await discarding.ended;
      // As if the last write had been lost; what was written before was.
      expect(memory.grantedQos).toBe(1);
      expect(world.memories.at(-2)).not.toHaveProperty('grantedQos');
      world.memory = world.memories.at(-2) ?? {};
      await oneLife(world);
      expect(world.broker.subscriptions(world.clientId)).toEqual(['stations/#']);
    });

    it('with the QoS of the moment', async () => {
      const world = createLaneWorld({ task: sessionTask({ options: { qos: 0 } }) });
      await oneLife(world);
      await oneLife(world, sessionTask({ options: { qos: 1 } }));
      expect(world.broker.opened.map(({ qos, mustSubscribe }) => [qos, mustSubscribe])).toEqual([
        [0, true],
        [1, true],
      ]);
    });
  });

  describe('modes', () => {
    it('buffers: everything into the queue, acknowledged then, nothing to the target', async () => {
      const world = createLaneWorld({
        task: sessionTask({ target: { clusterId: 'business', topic: '${payload.topic}' } }),
      });
      const lane = world.open('buffer');
      await world.settle();
      expect(lane.isEffective()).toBe(true);
      world.publish(['not mappable now', '{"topic":"other"}']);
      await world.settle();
      expect(world.queued()).toEqual(['not mappable now', '{"topic":"other"}']);
      expect(world.kept()).toBe(0);
      expect(world.producer.sends).toBe(0);
      expect(world.deadLetters.entries).toEqual([]);
    });

    it('does not buffer without a queue', async () => {
      const world = createLaneWorld({ task: sessionTask({}, { resources: { rules: {} } }) });
      const lane = world.open('buffer');
      expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'QUEUE_NOT_READY' } });
    });

    it('discards: unsubscribes, and keeps the session', async () => {
      const world = createLaneWorld();
      const forward = world.open();
      await world.settle();
      await forward.close();
      const lane = world.open('discard');
      expect(await lane.ended).toEqual({ reason: 'done' });
      expect(world.broker.subscriptions(world.clientId)).toEqual([]);
      expect(world.memory.subscribedFilters).toEqual([]);
      expect(world.broker.isConnected(world.clientId)).toBe(false);
    });

    it('discards without taking anything of what the broker sends', async () => {
      const world = createLaneWorld();
      const forward = world.open();
      await world.settle();
      await forward.close();
      world.publish(numbered(3));
      const lane = world.open('discard');
      await world.settle();
      expect(await lane.ended).toEqual({ reason: 'done' });
      expect(world.broker.opened.at(-1)).toMatchObject({ isLeaving: true, mustSubscribe: false });
      expect(lane.lastMessageAtMs()).toBe(0);
      expect(world.kept()).toBe(3);
    });

    it('ends the session of a task that goes', async () => {
      const world = createLaneWorld();
      const forward = world.open();
      await world.settle();
      await forward.close();
      const lane = world.open('end');
      expect(await lane.ended).toEqual({ reason: 'done' });
      expect(world.broker.subscriptions(world.clientId)).toBeUndefined();
    });
  });
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { createMemoryDeadLetterQueue } from '../../../../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryProducerPool } from '../../../../lib/adapters/memory/message-producer.ts';
import type { TaskCounted } from '../../../../lib/domain/counted.ts';
import {
  BrokerHoldError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors.ts';
import type { Task } from '../../../../lib/domain/task.ts';
import type { LaneMode } from '../../../../lib/ports/lane-leases.ts';
import { createLaneMeter } from '../../../../lib/replication/figures/lane-meter.ts';
import { NOW_MS } from '../../../helpers/rule-path.ts';
import { createLaneWorld, orderedTask, sessionTask } from '../../../helpers/session-lane.ts';

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

  it('carries what is published, and acknowledges it when it is stored', async () => {
    const world = createLaneWorld();
    const lane = world.open();
    await world.settle();
    expect(lane.isEffective()).toBe(true);
    expect(world.health).toEqual(['working']);
    world.publish(numbered(20));
    await world.settle();
    expect(world.bodies()).toEqual(numbered(20));
    expect(world.kept()).toBe(0);
    await lane.close();
    expect(await lane.ended).toEqual({ reason: 'closed' });
    expect(world.logger.lines.at(-1)).toMatchObject({
      message: 'session lane',
      fields: { consumed: 20, replicated: 20, bytes: 50 },
    });
  });

  it('tells the metrics what it counted, and how long it took', async () => {
    const reports: TaskCounted[] = [];
    const meter = createLaneMeter((_message, tasks) => reports.push(...tasks));
    const world = createLaneWorld({ ports: { meter } });
    const lane = world.open();
    await world.settle();
    world.publish(numbered(20));
    await world.settle();
    meter.flush();
    world.publish(numbered(5));
    await world.settle();
    await lane.close();
    meter.flush();
    expect(reports).toMatchObject([
      { perTask: false, counts: { consumed: 20, replicated: 20, latencies: { count: 20 } } },
      { perTask: false, counts: { consumed: 5, replicated: 5, latencies: { count: 5 } } },
    ]);
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

  it('acknowledges nothing before it is stored', async () => {
    const world = createLaneWorld();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    world.producer.decide(() => promise);
    world.open();
    await world.settle();
    world.publish(numbered(3));
    await world.settle();
    expect(world.kept()).toBe(3);
    resolve(undefined);
    await world.settle();
    expect(world.kept()).toBe(0);
  });

  it('tries again what the target did not take', async () => {
    const world = createLaneWorld();
    let refusals = 3;
    world.producer.decide(() => {
      refusals -= 1;
      return refusals >= 0 ? away() : undefined;
    });
    world.open();
    await world.settle();
    world.publish(['a']);
    await world.pass(1_500);
    expect(world.bodies()).toEqual(['a']);
    expect(world.queued()).toEqual([]);
    expect(world.kept()).toBe(0);
  });

  it('hands over what can never be sent, and acknowledges it then', async () => {
    const world = createLaneWorld();
    world.producer.decide(({ body }) =>
      body.toString() === 'bad' ? new InvalidMessageError('bad') : undefined,
    );
    world.open();
    await world.settle();
    world.publish(['a', 'bad', 'b']);
    await world.settle();
    expect(world.bodies()).toEqual(['a', 'b']);
    expect(world.deadLetters.entries).toMatchObject([{ code: 'MESSAGE_INVALID', taskId: world.task.taskId }]);
    expect(JSON.parse(world.deadLetters.entries[0]?.envelope ?? '')).toMatchObject({ v: 2, r: 3 });
    expect(world.kept()).toBe(0);
  });

  it('hands over what cannot be mapped', async () => {
    const world = createLaneWorld({
      task: sessionTask({ target: { clusterId: 'business', topic: '${payload.topic}' } }),
    });
    world.open();
    await world.settle();
    world.publish(['{"no":1}', '{"topic":"other"}']);
    await world.settle();
    expect(world.bodies('other')).toEqual(['{"topic":"other"}']);
    expect(world.deadLetters.entries).toHaveLength(1);
    expect(world.kept()).toBe(0);
  });

  it('hands over its last dead letter again until the hand-over queue has it', async () => {
    let refusals = 2;
    const deadLetters = createMemoryDeadLetterQueue(() => {
      refusals -= 1;
      return refusals < 0;
    });
    const world = createLaneWorld({ ports: { deadLetters } });
    world.producer.decide(() => new InvalidMessageError('bad'));
    world.open();
    await world.settle();
    world.publish(['bad']);
    await world.pass(5_000);
    expect(deadLetters.entries).toMatchObject([{ targetTopic: 'charger_status' }]);
    expect(world.kept()).toBe(0);
  });

  it('leaves out what no filter matches any more, and what came in a circle', async () => {
    const world = createLaneWorld();
    const lane = world.open();
    await world.settle();
    world.broker.publish({
      topicName: 'stations/7/status',
      payload: Buffer.from('loop'),
      qos: 1,
      userProperties: [['mqferry_path', world.task.taskId]],
    });
    await world.settle();
    await lane.close();
    const source = { clusterId: 'factory', topicFilters: ['stations/+/error'] };
    const changed = sessionTask({ source }, { version: 4 });
    world.publish(['old'], 'stations/7/status');
    world.open('forward', changed);
    await world.settle();
    world.publish(['gone'], 'stations/7/status');
    world.publish(['here'], 'stations/7/error');
    await world.settle();
    expect(world.bodies()).toEqual(['here']);
    expect(world.kept()).toBe(0);
    expect(world.broker.subscriptions(world.clientId)).toEqual(['stations/+/error']);
    expect(world.memory.subscribedFilters).toEqual(['stations/+/error']);
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

  it('drops what has expired while it waited', async () => {
    const world = createLaneWorld({ task: sessionTask({ options: { maxAgeSeconds: 1 } }) });
    world.producer.decide(away);
    const lane = world.open();
    await world.settle();
    world.publish(['a']);
    await world.pass(1_500);
    world.producer.decide(() => undefined);
    await world.pass(1_500);
    expect(world.bodies()).toEqual([]);
    expect(world.kept()).toBe(0);
    await lane.close();
    expect(world.logger.lines.at(-1)?.fields).toMatchObject({ consumed: 1, expired: 1 });
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

  it('connects no more once it is told to end, before somebody else has the lease', async () => {
    const gate = Promise.withResolvers<void>();
    let isHeld = true;
    const { broker, ...rest } = createLaneWorld();
    const world = createLaneWorld({
      ports: {
        sessions: {
          async open(options, deadlineMs) {
            const { promise: aborted, resolve } = Promise.withResolvers<void>();
            options.signal?.addEventListener('abort', () => resolve());
            if (isHeld) await Promise.race([gate.promise, aborted]);
            return broker.sessions.open(options, deadlineMs);
          },
        },
      },
    });
    const old = world.open();
    await world.settle();
    isHeld = false;
    await old.drain(5_000);
    const young = world.open();
    await world.settle();
    gate.resolve();
    await world.settle();
    await old.close();
    await world.settle();
    expect(young.isEffective()).toBe(true);
    expect(broker.isConnected(rest.clientId)).toBe(true);
    expect(broker.opened).toHaveLength(2);
    await young.close();
  });

  it('sends nothing by a producer that came after the lease had gone', async () => {
    const gate = Promise.withResolvers<void>();
    let isSlow = false;
    const { producer } = createLaneWorld();
    const pool = createMemoryProducerPool(producer);
    const world = createLaneWorld({
      ports: {
        producers: {
          async producerFor(cluster) {
            if (isSlow) await gate.promise;
            return pool.producerFor(cluster);
          },
        },
      },
    });
    const lane = world.open();
    await world.settle();
    isSlow = true;
    world.publish(['a']);
    await world.settle();
    lane.lease.isOurs = false;
    gate.resolve();
    await world.settle();
    expect(producer.sends).toBe(0);
    await lane.close();
  });

  it('ends with the error when the session closes by itself', async () => {
    const world = createLaneWorld();
    const lane = world.open();
    await world.settle();
    const error = new BrokerHoldError('taken', { code: 'CLIENT_ID_TAKEN', scope: 'cluster' });
    world.broker.disconnect(world.clientId, error);
    expect(await lane.ended).toEqual({ reason: 'failed', error });
    expect(lane.isEffective()).toBe(false);
  });

  it('does nothing more when the lease is lost', async () => {
    const world = createLaneWorld();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    world.producer.decide(() => promise);
    const lane = world.open();
    await world.settle();
    world.publish(['a']);
    await world.settle();
    lane.lease.isOurs = false;
    resolve(undefined);
    world.publish(['b']);
    await world.settle();
    expect(world.kept()).toBe(2);
    expect(world.producer.sends).toBe(1);
  });

  it('drains: settles what was sent, leaves the rest, keeps the connection until it is closed', async () => {
    const world = createLaneWorld();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    world.producer.decide(() => promise);
    const lane = world.open();
    await world.settle();
    world.publish(['a']);
    await world.settle();
    world.publish(['b']);
    const drained = lane.drain(1_000);
    world.publish(['c']);
    resolve(undefined);
    await drained;
    await world.settle();
    expect(world.bodies()).toEqual(['a']);
    expect(world.kept()).toBe(2);
    expect(world.broker.isConnected(world.clientId)).toBe(true);
    const next = world.open();
    await world.settle();
    expect(world.bodies()).toEqual(['a', 'b', 'c']);
    await lane.close();
    await next.close();
  });

  it('waits a second at most for what was sent, and accepts nothing afterwards', async () => {
    const world = createLaneWorld();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    world.producer.decide(() => promise);
    const lane = world.open();
    await world.settle();
    world.publish(['a']);
    await world.settle();
    const drained = lane.drain(5_000);
    await world.pass(1_000);
    await drained;
    resolve(undefined);
    await world.settle();
    expect(world.kept()).toBe(1);
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

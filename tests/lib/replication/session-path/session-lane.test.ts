import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createMemoryDeadLetterQueue } from '../../../../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryProducerPool } from '../../../../lib/adapters/memory/message-producer.ts';
import {
  BrokerHoldError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors/errors.ts';
import type { TaskCounted } from '../../../../lib/domain/figures/counted.ts';
import { createLaneMeter } from '../../../../lib/replication/figures/lane-meter.ts';
import { createLaneWorld, sessionTask } from '../../../helpers/session-lane.ts';

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `m${from + index}`);
const away = () => new BrokerUnavailableError('away');

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
});

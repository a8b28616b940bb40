import { describe, expect, it } from '@jest/globals';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import type { TaskCounted } from '../../../../lib/domain/figures/counted.ts';
import { decodeRocketmqEnvelope } from '../../../../lib/mapping/rocketmq-envelope.ts';
import { createLaneMeter } from '../../../../lib/replication/figures/lane-meter.ts';
import { COMMANDS, createPullWorld, ORDERED } from '../../../helpers/pull-world.ts';

const MINUTE_MS = 60_000;
const refusedTopic = new BrokerHoldError('not allowed', { code: 'ACCESS_DENIED', scope: 'topic' });
const throttled = new BrokerThrottledError('quota exceeded', { waitMs: 200 });
const odd = new BrokerUnavailableError('unspecified error', { code: 'TARGET_ERROR' });

describe('createPullLane', () => {
  it('publishes what is in the topic, and acknowledges it', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    expect(lane.isEffective()).toBe(true);
    expect(world.health).toContain('working');
    world.put('open', { keys: ['42'], tag: 'now', properties: new Map([['who', 'office']]) });
    await world.settle();
    expect(world.publisher.published).toMatchObject([
      { topicName: 'stations/42/commands', qos: 1, retain: false, payload: Buffer.from('open') },
    ]);
    expect(world.publisher.published[0]?.userProperties).toEqual(
      expect.arrayContaining([
        ['who', 'office'],
        ['rmq_tag', 'now'],
        ['mqferry_path', world.task.taskId],
      ]),
    );
    expect(world.left()).toEqual([]);
    expect(lane.lastMessageAtMs()).toBe(world.clock.now());
  });

  it('acknowledges nothing that the target has not taken', async () => {
    const world = createPullWorld();
    await world.open();
    const answer = Promise.withResolvers<undefined>();
    world.publisher.decide(() => answer.promise);
    world.put('open');
    await world.clock.advance(1_000);
    expect(world.left()).toEqual(['open']);
    answer.resolve(undefined);
    await world.settle();
    expect(world.left()).toEqual([]);
  });

  it('tells the metrics what it counted, and how long it took since the message was born', async () => {
    const reports: TaskCounted[] = [];
    const meter = createLaneMeter((_message, tasks) => reports.push(...tasks));
    const world = createPullWorld({ meter, options: { metrics: 'task' } });
    const { lane } = await world.open();
    world.put('open');
    await world.settle();
    meter.flush();
    await world.close(lane);
    meter.flush();
    const { taskId } = world.task;
    expect(reports).toMatchObject([
      { taskId, perTask: true, counts: { consumed: 1, replicated: 1, bytes: 4, latencies: { count: 1 } } },
    ]);
  });

  it('asks an idle topic with one receive at a time, and a busy one with all it has', async () => {
    const world = createPullWorld();
    await world.open();
    const before = world.consumers.calls.receive;
    await world.clock.advance(MINUTE_MS);
    // 5 s each.
    expect(world.consumers.calls.receive - before).toBeLessThanOrEqual(13);
    for (let message = 0; message < 16 * 32; message += 1) world.put(`quick ${message}`);
    await world.settle();
    expect(world.left()).toEqual([]);
    const answers = Promise.withResolvers<undefined>();
    world.publisher.decide(() => answers.promise);
    for (let message = 0; message < 16 * 32; message += 1) world.put(`${message}`);
    await world.settle();
    expect(world.publisher.inFlight).toBe(16 * 32);
    answers.resolve(undefined);
    await world.settle();
    expect(world.left()).toEqual([]);
  });

  it('holds little of what waits for a target of which it does not know that it is quick', async () => {
    const world = createPullWorld();
    await world.open();
    const answers = Promise.withResolvers<undefined>();
    world.publisher.decide(() => answers.promise);
    for (let message = 0; message < 16 * 32; message += 1) world.put(`${message}`);
    await world.settle();
    // Two receives, and what each receiver had asked for by then.
    expect(world.publisher.inFlight).toBeLessThanOrEqual(2 * 32 + 4 * 32);
    answers.resolve(undefined);
    await world.settle();
    expect(world.left()).toEqual([]);
  });

  it('does not call a target away that takes other messages before this one has its turn', async () => {
    const world = createPullWorld();
    await world.open();
    const noTurn = new BrokerUnavailableError('no time is left', { code: 'DEADLINE_PASSED' });
    let tries = 0;
    world.publisher.decide(() => {
      tries += 1;
      return tries <= 40 ? noTurn : undefined;
    });
    world.put('open');
    await world.clock.advance(10_000);
    await world.settle();
    expect(world.left()).toEqual([]);
    expect(world.publisher.published).toHaveLength(1);
    expect(world.health.filter((said) => said !== 'working')).toEqual([]);
  });

  it('keeps what it holds through an hour of outage, receives nothing more, and loses no delivery attempt', async () => {
    const world = createPullWorld();
    await world.open();
    world.publisher.goAway();
    for (let message = 0; message < 300; message += 1) world.put(`${message}`);
    await world.clock.advance(5_000);
    expect(world.health.at(-1)).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    const received = world.consumers.calls.receive;
    await world.clock.advance(60 * MINUTE_MS);
    expect(world.consumers.calls.receive).toBe(received);
    world.publisher.comeBack();
    await world.clock.advance(10_000);
    expect(world.health.at(-1)).toBe('working');
    expect(world.texts().toSorted()).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`).toSorted());
    expect(world.left()).toEqual([]);
    expect(await world.dead()).toEqual([]);
  });

  it('holds a few messages to try with while the target takes none, and receives no more', async () => {
    const world = createPullWorld();
    await world.open();
    world.publisher.goAway();
    world.put('first');
    await world.clock.advance(1_000);
    for (let message = 0; message < 300; message += 1) world.put(`${message}`);
    await world.clock.advance(10 * MINUTE_MS);
    expect(world.left()).toHaveLength(301);
    const received = world.consumers.calls.receive;
    await world.clock.advance(10 * MINUTE_MS);
    expect(world.consumers.calls.receive).toBe(received);
    expect(received).toBeLessThan(40);
    world.publisher.comeBack();
    await world.clock.advance(20_000);
    expect(world.texts()).toHaveLength(301);
  });

  it.each([COMMANDS, ORDERED])(
    'receives no more from %s while it holds as many bytes as it may',
    async (topic) => {
      const world = createPullWorld({ source: { topic }, maxHeldBytes: 1_000 });
      await world.open();
      const received = world.consumers.calls.receive;
      const answer = Promise.withResolvers<undefined>();
      world.publisher.decide(() => answer.promise);
      for (const messageGroup of ['a', 'b'])
        world.put('x'.repeat(1_000), { rocketmqTopic: topic, messageGroup });
      await world.clock.advance(1_000);
      expect(world.consumers.calls.receive).toBe(received);
      answer.resolve(undefined);
      await world.settle();
      expect(world.consumers.calls.receive).toBeGreaterThan(received);
      expect(world.texts()).toHaveLength(2);
      expect(world.left(topic)).toEqual([]);
    },
  );

  it('keeps a message whole among the dead letters when no try can help, and goes on', async () => {
    const world = createPullWorld();
    await world.open();
    const messageId = world.put('no key', { keys: [], properties: new Map([['a', 'b']]), tag: 't' });
    world.put('fine');
    await world.settle();
    expect(world.texts()).toEqual(['fine']);
    expect(world.left()).toEqual([]);
    const [head] = await world.dead();
    expect(head).toMatchObject({ origin: 'pull', attempts: 1 });
    const whole = await world.deadLetters.get(world.task.taskId, head?.deadLetterId ?? '');
    expect(decodeRocketmqEnvelope(whole?.body ?? '')).toMatchObject({
      messageId,
      body: Buffer.from('no key'),
      properties: new Map([['a', 'b']]),
      tag: 't',
      consumerGroup: world.consumerGroup,
    });
  });

  it('acknowledges no dead letter that is not stored', async () => {
    const world = createPullWorld();
    const { put } = world.deadLetters;
    world.deadLetters.put = async () => {
      throw new Error('the table is away');
    };
    await world.open();
    world.put('no key', { keys: [] });
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.left()).toEqual(['no key']);
    world.deadLetters.put = put;
    await world.clock.advance(10_000);
    await world.settle();
    expect(world.left()).toEqual([]);
    expect(await world.dead()).toHaveLength(1);
  });

  it('makes a dead letter of a message that fails again and again while others go through', async () => {
    const world = createPullWorld();
    await world.open();
    world.publisher.decide(({ payload }) => (payload.toString() === 'odd' ? odd : undefined));
    world.put('odd');
    for (let second = 0; second < 90; second += 1) {
      world.put(`${second}`);
      world.put(`${second} b`);
      await world.clock.advance(1_000);
    }
    expect(world.left()).toEqual([]);
    expect(await world.dead()).toMatchObject([{ code: 'TARGET_ERROR' }]);
    expect(world.texts()).toHaveLength(180);
  });

  it('holds what is refused for its fixed topic, and makes a dead letter of it where the topic is rendered', async () => {
    const fixed = createPullWorld({ target: { topic: 'commands' } });
    await fixed.open();
    fixed.publisher.decide(() => refusedTopic);
    fixed.put('open');
    await fixed.clock.advance(30 * MINUTE_MS);
    expect(fixed.left()).toEqual(['open']);
    expect(fixed.health.at(-1)).toMatchObject({ code: 'ACCESS_DENIED' });

    const rendered = createPullWorld();
    await rendered.open();
    rendered.publisher.decide(({ topicName }) =>
      topicName === 'stations/bad/commands' ? refusedTopic : undefined,
    );
    rendered.put('refused', { keys: ['bad'] });
    await rendered.clock.advance(10_000);
    // Nothing else was taken yet: it may be the broker that is unwell.
    expect(rendered.left()).toEqual(['refused']);
    const slow = Promise.withResolvers<undefined>();
    rendered.publisher.decide(async ({ topicName }) => {
      if (topicName !== 'stations/bad/commands') return undefined;
      await slow.promise;
      return refusedTopic;
    });
    await rendered.clock.advance(2_000);
    rendered.put('fine');
    await rendered.settle();
    slow.resolve(undefined);
    await rendered.clock.advance(10_000);
    expect(await rendered.dead()).toMatchObject([{ code: 'ACCESS_DENIED' }]);
    expect(rendered.left()).toEqual([]);
  });

  it('is held up by no number of messages whose rendered topic is refused', async () => {
    const world = createPullWorld();
    await world.open();
    world.publisher.decide(({ topicName }) =>
      topicName === 'stations/bad/commands' ? refusedTopic : undefined,
    );
    for (let message = 0; message < 40; message += 1) world.put(`bad ${message}`, { keys: ['bad'] });
    await world.clock.advance(10_000);
    expect(world.left()).toHaveLength(40);
    world.put('fine');
    await world.clock.advance(30_000);
    expect(world.texts()).toEqual(['fine']);
    expect(world.left()).toEqual([]);
    expect(await world.dead()).toHaveLength(40);
  });

  it('gives nothing up while every topic is refused: that may be the target, and the task says so', async () => {
    const world = createPullWorld();
    await world.open();
    for (let message = 0; message < 20; message += 1) world.put(`${message}`);
    await world.settle();
    expect(world.texts()).toHaveLength(20);
    world.publisher.decide(() => refusedTopic);
    for (let message = 20; message < 60; message += 1) world.put(`${message}`);
    await world.clock.advance(5 * MINUTE_MS);
    expect(await world.dead()).toEqual([]);
    expect(world.health.at(-1)).toBe(refusedTopic);
    world.publisher.decide(() => undefined);
    await world.clock.advance(30_000);
    expect(world.texts()).toHaveLength(60);
    expect(world.health.at(-1)).toBe('working');
  });

  it('makes no dead letter of what a target throttles', async () => {
    const world = createPullWorld();
    await world.open();
    let allowed = 0;
    world.publisher.decide(() => {
      allowed -= 1;
      return allowed >= 0 ? undefined : throttled;
    });
    for (let message = 0; message < 160; message += 1) world.put(`${message}`);
    for (let second = 0; second < 120; second += 1) {
      allowed = 5;
      await world.clock.advance(1_000);
    }
    expect(await world.dead()).toEqual([]);
    expect(world.texts()).toHaveLength(160);
  });

  it('does not carry what it has carried before, and drops what has expired', async () => {
    const world = createPullWorld({ options: { maxAgeSeconds: 60 } });
    await world.open();
    world.put('loop', { properties: new Map([['mqferry_path', world.task.taskId]]) });
    world.publisher.goAway();
    world.put('stale');
    await world.clock.advance(2 * MINUTE_MS);
    world.publisher.comeBack();
    await world.clock.advance(5_000);
    expect(world.texts()).toEqual([]);
    expect(world.left()).toEqual([]);
  });

  it('says so when RocketMQ is away, and goes on by itself', async () => {
    const world = createPullWorld();
    await world.open();
    world.consumers.decide(() => odd);
    await world.clock.advance(20_000);
    expect(world.health.at(-1)).toBe(odd);
    world.consumers.decide(() => undefined);
    world.put('later');
    await world.clock.advance(20_000);
    expect(world.texts()).toEqual(['later']);
    expect(world.health.at(-1)).toBe('working');
  });

  it('keeps the rate it was given', async () => {
    const world = createPullWorld({ options: { maxMessagesPerSecond: 10 } });
    await world.open();
    for (let message = 0; message < 100; message += 1) world.put(`${message}`);
    await world.settle();
    await world.clock.advance(3_000);
    expect(world.texts().length).toBeGreaterThanOrEqual(30);
    expect(world.texts().length).toBeLessThanOrEqual(42);
    await world.clock.advance(10_000);
    expect(world.texts()).toHaveLength(100);
  });
});

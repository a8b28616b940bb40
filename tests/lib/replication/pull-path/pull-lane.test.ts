import { describe, expect, it } from '@jest/globals';
import type { TaskCounted } from '../../../../lib/domain/counted.ts';
import {
  BridgeError,
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors.ts';
import { decodeRocketmqEnvelope } from '../../../../lib/mapping/rocketmq-envelope.ts';
import type { RocketmqAdmin } from '../../../../lib/ports/rocketmq-admin.ts';
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
    await lane.close();
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

  it('begins no receive once it drains', async () => {
    const world = createPullWorld({ maxHeldBytes: 1 });
    const { lane } = await world.open();
    const answer = Promise.withResolvers<undefined>();
    world.publisher.decide(() => answer.promise);
    world.put('fills the lane');
    await world.clock.advance(1_000);
    const received = world.consumers.calls.receive;
    const drained = lane.drain(8_000);
    answer.resolve(undefined);
    await world.clock.advance(8_000);
    await drained;
    expect(world.consumers.calls.receive).toBe(received);
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

  it('skips what was born before its start, where no admin port can set the position', async () => {
    const world = createPullWorld();
    world.put('old', {}, world.clock.now() - 1);
    await world.open();
    world.put('new');
    await world.settle();
    expect(world.texts()).toEqual(['new']);
    expect(world.left()).toEqual([]);
  });

  it('lets a named group go on where it stands, where no admin port can set the position', async () => {
    const world = createPullWorld({ source: { consumerGroup: 'office' } });
    world.put('old', {}, world.clock.now() - 1);
    await world.open();
    await world.settle();
    expect(world.texts()).toEqual(['old']);
  });

  it('skips no longer than until it has caught up, whatever the clock of a producer says', async () => {
    const world = createPullWorld();
    const bornBefore = world.clock.now() - 1;
    world.put('old', {}, bornBefore);
    const { remembered } = await world.open();
    await world.clock.advance(15_000);
    world.put('slow clock', {}, bornBefore);
    await world.settle();
    expect(world.texts()).toEqual(['slow clock']);
    expect(remembered).toHaveLength(1);
    await world.open({ memory: remembered[0] ?? {} });
    world.put('slow clock again', {}, bornBefore);
    await world.settle();
    expect(world.texts()).toEqual(['slow clock', 'slow clock again']);
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

  it('publishes nothing more once the lease is lost', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    world.publisher.goAway();
    world.put('open');
    await world.clock.advance(1_000);
    world.loseLease();
    world.publisher.comeBack();
    await world.clock.advance(30_000);
    expect(world.texts()).toEqual([]);
    await lane.close();
    expect(await lane.ended).toEqual({ reason: 'closed' });
  });

  it.each([COMMANDS, ORDERED])(
    'hands back what it holds, and what its receives under way still bring, once the lease is lost: of %s',
    async (rocketmqTopic) => {
      const world = createPullWorld({ source: { topic: rocketmqTopic } });
      const { lane } = await world.open();
      world.publisher.goAway();
      world.put('held', { rocketmqTopic, messageGroup: 'one' });
      await world.clock.advance(1_000);
      world.loseLease();
      const closed = lane.close();
      await world.settle();
      // Its connection is the first to go: the next owner has the same client id.
      expect(world.closedPublishers()).toBe(1);
      world.put('late', { rocketmqTopic, messageGroup: 'another' });
      await world.clock.advance(5_000);
      await closed;
      expect(world.left(rocketmqTopic).toSorted()).toEqual(['held', 'late']);
      world.publisher.comeBack();
      world.regainLease();
      await world.open();
      await world.clock.advance(1_500);
      expect(world.texts().toSorted()).toEqual(['held', 'late']);
      expect(world.left(rocketmqTopic)).toEqual([]);
    },
  );

  it('ends when another client takes its client id, and does not connect again', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    let attempts = 0;
    world.publisher.decide(() => {
      attempts += 1;
      return new BrokerHoldError('session taken over', { code: 'CLIENT_ID_TAKEN', scope: 'cluster' });
    });
    world.put('open');
    await world.clock.advance(MINUTE_MS);
    expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'CLIENT_ID_TAKEN' } });
    expect(attempts).toBe(1);
    expect(world.left()).toEqual(['open']);
    // Not told to the task: it may be our own successor.
    expect(world.health).not.toContainEqual(expect.objectContaining({ code: 'CLIENT_ID_TAKEN' }));
  });

  it('drains: what is under way is settled, what is not goes back soon', async () => {
    const world = createPullWorld();
    const { lane } = await world.open();
    const answer = Promise.withResolvers<undefined>();
    world.publisher.decide(({ payload }) => (payload.toString() === 'slow' ? answer.promise : odd));
    world.put('slow');
    world.put('failing');
    await world.clock.advance(100);
    const drained = lane.drain(5_000);
    answer.resolve(undefined);
    await world.settle();
    await drained;
    expect(world.texts()).toEqual(['slow']);
    expect(world.left()).toEqual(['failing']);
    world.put('later');
    await world.clock.advance(MINUTE_MS);
    expect(world.texts()).toEqual(['slow']);
    await lane.close();
    const second = await world.open();
    world.publisher.decide(() => undefined);
    await world.clock.advance(MINUTE_MS);
    expect(world.texts().toSorted()).toEqual(['failing', 'later', 'slow']);
    await second.lane.close();
  });

  it.each([COMMANDS, ORDERED])(
    'carries what receives under way still bring when it drains: from %s',
    async (rocketmqTopic) => {
      const world = createPullWorld({ source: { topic: rocketmqTopic } });
      const { lane } = await world.open();
      const drained = lane.drain(8_000);
      world.put('late', { rocketmqTopic });
      await world.settle();
      expect(world.texts()).toEqual(['late']);
      expect(world.left(rocketmqTopic)).toEqual([]);
      // Then no more are begun.
      await world.clock.advance(5_000);
      await drained;
      world.put('later', { rocketmqTopic });
      await world.settle();
      expect(world.left(rocketmqTopic)).toEqual(['later']);
      await lane.close();
      const second = await world.open();
      await world.clock.advance(100);
      expect(world.texts()).toEqual(['late', 'later']);
      await second.lane.close();
    },
  );

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

  describe('from a FIFO topic', () => {
    const ordered = () => createPullWorld({ source: { topic: ORDERED } });
    const put = (world: ReturnType<typeof ordered>, group: string, number: number) =>
      world.put(`${group} ${number}`, { rocketmqTopic: ORDERED, messageGroup: group });

    it('keeps the order of each message group, through failures', async () => {
      const world = ordered();
      await world.open();
      let chance = 1;
      world.publisher.decide(() => {
        chance = (chance * 16_807) % 2_147_483_647;
        return chance % 3 === 0 ? odd : undefined;
      });
      const groups = ['a', 'b', 'c', 'd', 'e'];
      for (let number = 0; number < 40; number += 1) for (const group of groups) put(world, group, number);
      await world.clock.advance(20 * MINUTE_MS);
      for (const group of groups) {
        const own = world.texts().filter((text) => text.startsWith(group));
        expect(own).toEqual(Array.from({ length: 40 }, (_, number) => `${group} ${number}`));
      }
      expect(world.left(ORDERED)).toEqual([]);
    });

    it('receives from a broker that was added later', async () => {
      const world = ordered();
      const { open } = world.consumers;
      let isAdded = false;
      world.consumers.open = async (...args) => {
        const consumer = await open(...args);
        return { ...consumer, brokers: async () => (isAdded ? consumer.brokers() : []) };
      };
      await world.open();
      put(world, 'a', 1);
      await world.clock.advance(MINUTE_MS);
      expect(world.texts()).toEqual([]);
      isAdded = true;
      await world.clock.advance(MINUTE_MS);
      expect(world.texts()).toEqual(['a 1']);
      await world.clock.advance(MINUTE_MS / 2);
      // One receiver, 5 s a receive.
      expect(world.consumers.calls.receive).toBeLessThan(20);
    });

    it('stops behind a message that cannot go yet, and acknowledges only what is before it', async () => {
      const world = ordered();
      await world.open();
      world.publisher.decide(({ payload }) => (payload.toString() === 'a 1' ? odd : undefined));
      for (let number = 0; number < 4; number += 1) put(world, 'a', number);
      await world.clock.advance(2_000);
      expect(world.texts()).toEqual(['a 0']);
      world.publisher.decide(() => undefined);
      await world.clock.advance(5_000);
      expect(world.texts()).toEqual(['a 0', 'a 1', 'a 2', 'a 3']);
      expect(world.left(ORDERED)).toEqual([]);
    });

    it('does not stand still behind a message that can never go', async () => {
      const world = ordered();
      await world.open();
      world.put('a bad', { rocketmqTopic: ORDERED, messageGroup: 'a', keys: [] });
      put(world, 'a', 1);
      await world.clock.advance(1_000);
      expect(world.texts()).toEqual(['a 1']);
      expect(await world.dead()).toHaveLength(1);
      expect(world.left(ORDERED)).toEqual([]);
    });
  });

  describe('with an admin port', () => {
    const recordingAdmin = () => {
      const calls: unknown[] = [];
      const note =
        (name: string) =>
        async (...args: unknown[]) => {
          calls.push([name, ...args]);
        };
      const admin = {
        ensureGroup: note('ensureGroup'),
        resetPosition: note('resetPosition'),
        deleteGroup: note('deleteGroup'),
      } as unknown as RocketmqAdmin;
      return { admin, calls };
    };

    it('makes its group and sets its position once, before it receives', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin, source: { topic: ORDERED, startFrom: 'earliest' } });
      const { remembered } = await world.open();
      expect(calls).toEqual([
        ['ensureGroup', { consumerGroup: world.consumerGroup, isOrderly: true, retryMaxTimes: 1_000 }],
        [
          'resetPosition',
          { rocketmqTopic: ORDERED, consumerGroup: world.consumerGroup, position: 'earliest' },
        ],
      ]);
      expect(remembered).toMatchObject([
        { positionedFor: { rocketmqTopic: ORDERED, startFrom: 'earliest' } },
      ]);
      await world.open({ memory: remembered[0] ?? {} });
      expect(calls).toHaveLength(2);
    });

    it.each([{ topic: COMMANDS }, { consumerGroup: 'office' }, { startFrom: '2026-08-01T10:00:00Z' }])(
      'sets the position anew when an edit has made it another: %j',
      async (edit) => {
        const { admin, calls } = recordingAdmin();
        const source = { topic: ORDERED, startFrom: 'earliest' };
        const [memory] = (await createPullWorld({ admin, source }).open()).remembered;
        calls.length = 0;
        const world = createPullWorld({ admin, source: { ...source, ...edit } });
        await world.open({ memory: memory ?? {} });
        expect(calls.at(-1)).toMatchObject(['resetPosition', expect.anything()]);
      },
    );

    it('moves no group on a lease that it has lost', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin });
      world.loseLease();
      const { lane } = await world.open();
      expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'NOT_POSITIONED_YET' } });
      expect(calls).toEqual([]);
    });

    it('waits with its other lanes until the first has set the position', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin });
      const { lane } = await world.open({ lane: 1 });
      expect(await lane.ended).toMatchObject({ reason: 'failed', error: { code: 'NOT_POSITIONED_YET' } });
      const [firstLaneMemory] = (await world.open()).remembered;
      const before = calls.length;
      const second = await world.open({ lane: 1, firstLaneMemory: firstLaneMemory ?? {} });
      expect(second.lane.isEffective()).toBe(true);
      expect(calls).toHaveLength(before);
    });

    it('deletes its groups with the task, but none that its user has named', async () => {
      const { admin, calls } = recordingAdmin();
      const world = createPullWorld({ admin });
      const { lane } = await world.open({ mode: 'end' });
      expect(await lane.ended).toEqual({ reason: 'done' });
      expect(calls).toEqual([
        ['deleteGroup', world.consumerGroup],
        ['deleteGroup', `${world.consumerGroup}_moved`],
      ]);
      const named = createPullWorld({ admin, source: { consumerGroup: 'office' } });
      expect(await (await named.open({ mode: 'end' })).lane.ended).toEqual({ reason: 'done' });
      expect(calls.slice(2)).toEqual([['deleteGroup', 'office_moved']]);
    });
  });

  it('keeps as dead letters what RocketMQ has moved away from its group', async () => {
    const world = createPullWorld({ hasMoved: true });
    world.consumers.put(
      { rocketmqTopic: world.movedTopic, body: Buffer.from('moved'), keys: [], properties: new Map() },
      {},
    );
    await world.open();
    await world.clock.advance(1_000);
    expect(await world.dead()).toMatchObject([{ code: 'MOVED_BY_ROCKETMQ', origin: 'pull' }]);
    expect(world.consumers.unacknowledged(world.movedTopic, `${world.consumerGroup}_moved`)).toEqual([]);
  });

  it('ends, and says why, when an end is not there', async () => {
    const world = createPullWorld();
    world.publisher.goAway();
    const { lane } = await world.open();
    const end = await lane.ended;
    expect(end).toMatchObject({ reason: 'failed', error: expect.any(BridgeError) });
    expect(lane.isEffective()).toBe(false);
    expect(world.closedPublishers()).toBe(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  BrokerHoldError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors/errors.ts';
import { newTask } from '../../../../lib/domain/tasks/task-changes.ts';
import { encodeSessionEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import { createRedriveWorld } from '../../../helpers/redrive-world.ts';
import { NOW_MS, ruleTask, TASK_ID } from '../../../helpers/rule-path.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

const away = new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' });
const COUNTS = { redriven: 0, discarded: 0, failed: 0, skipped: 0, missing: 0 };

const pullTask = (target: object = {}) => ({
  ...newTask({
    taskId: TASK_ID,
    definition: definitionWith({
      source: { clusterId: 'business', topic: 'charger_commands' },
      target: { clusterId: 'factory', topic: 'stations/${key}/commands', ...target },
    }),
    direction: 'rocketmq-to-mqtt',
    sourceRegion: 'eu-west-1',
    desired: 'running',
    at: new Date(NOW_MS).toISOString(),
  }),
  status: 'running' as const,
});

describe('createWorkOnJobs, to RocketMQ', () => {
  const stored = (world: ReturnType<typeof createRedriveWorld>, topic = 'charger_status') =>
    world.producer.stored(topic).map(({ body }) => body.toString());

  it('sends dead letters through the mapping as it is now, in order, and removes them', async () => {
    const world = createRedriveWorld(ruleTask({ target: { clusterId: 'business', topic: 'other' } }));
    const letters = [];
    for (let number = 0; number < 120; number += 1) letters.push(await world.putForward(`${number}`));
    const job = await world.ask();
    await world.run();
    expect(stored(world, 'other')).toEqual(letters.map((_, number) => `${number}`));
    expect(
      world.producer.stored('other').map(({ properties }) => properties.get('mqferry_redriven')),
    ).toEqual(letters.map(({ deadLetterId }) => deadLetterId));
    expect(await world.left()).toEqual([]);
    const { counts, failed } = await world.figures.totals(TASK_ID);
    expect(counts).toMatchObject({ consumed: 0, replicated: 120, redriven: 120 });
    expect(failed).toEqual({ TEMPLATE_VALUE_MISSING: -120 });
    expect(await world.read(job)).toMatchObject({
      state: 'done',
      counts: { ...COUNTS, redriven: 120 },
      finishedAtMs: world.clock.now(),
    });
    expect(world.events).toMatchObject([
      { code: 'DEAD_LETTERS_REDRIVEN', details: { jobId: job.jobId, redriven: 120 } },
    ]);
  });

  it('tells at once, and once, of a device whose disconnect event was a dead letter', async () => {
    const events = '$aws/events/presence';
    const world = createRedriveWorld(
      ruleTask({
        source: { clusterId: 'devices', topicFilters: [`${events}/connected/+`, `${events}/disconnected/+`] },
        options: { presence: {} },
      }),
    );
    const payload = JSON.stringify({
      timestamp: NOW_MS,
      versionNumber: 1,
      sessionIdentifier: 's',
      disconnectReason: 'CONNECTION_LOST',
    });
    await world.putForward(payload, {}, { t: `${events}/disconnected/charger-7` });
    await world.putForward(payload.replace(':1,', ':2,'), {}, { t: `${events}/connected/charger-8` });
    const job = await world.ask();
    await world.run();
    expect(stored(world).map((body) => JSON.parse(body))).toMatchObject([
      { event: 'offline', clientId: 'charger-7', reason: 'CONNECTION_LOST' },
    ]);
    expect(await world.read(job)).toMatchObject({ counts: { ...COUNTS, redriven: 1, skipped: 1 } });
  });

  it('keeps to the rate', async () => {
    const world = createRedriveWorld(ruleTask());
    for (let number = 0; number < 100; number += 1) await world.putForward(`${number}`);
    await world.ask({ maxMessagesPerSecond: 10 });
    const beganMs = world.clock.now();
    await world.run();
    // A burst of a second is allowed.
    expect(world.clock.now() - beganMs).toBeGreaterThanOrEqual(8_500);
    expect(world.clock.now() - beganMs).toBeLessThan(12_000);
  });

  it.each([
    [
      'ids',
      async (world: ReturnType<typeof createRedriveWorld>) => {
        const [first, , third] = await world.left();
        return { ids: [third?.deadLetterId ?? '', first?.deadLetterId ?? '', '01JD4YQ3V8F0G2H4J6K8M0N2P9'] };
      },
      ['0', '2'],
      1,
    ],
    ['a reason', async () => ({ code: 'OTHER' }), ['1', '3'], 0],
  ] as const)('takes those that are selected by %s', async (_what, selection, wanted, missing) => {
    const world = createRedriveWorld(ruleTask());
    for (let number = 0; number < 4; number += 1) {
      await world.putForward(`${number}`, number % 2 === 1 ? { code: 'OTHER' } : {});
    }
    const job = await world.ask({ selection: await selection(world) });
    await world.run();
    expect(stored(world)).toEqual(wanted);
    expect(await world.left()).toHaveLength(2);
    expect(await world.read(job)).toMatchObject({ counts: { ...COUNTS, redriven: 2, missing } });
  });

  it('keeps what fails again, with the new reason, and tries it once only', async () => {
    const world = createRedriveWorld(ruleTask());
    for (let number = 0; number < 60; number += 1) await world.putForward(`${number}`);
    const invalid = new InvalidMessageError('refused', { code: 'MESSAGE_REFUSED' });
    world.producer.decide(({ body }) => (body.toString() === '7' ? invalid : undefined));
    const job = await world.ask();
    await world.run();
    expect(await world.left()).toMatchObject([
      {
        code: 'MESSAGE_REFUSED',
        reason: expect.stringContaining('refused'),
        targetTopic: 'charger_status',
        attempts: 2,
        redrives: 1,
        failedAtMs: expect.any(Number),
      },
    ]);
    expect(await world.read(job)).toMatchObject({
      state: 'done',
      counts: { ...COUNTS, redriven: 59, failed: 1 },
    });
  });

  it('keeps what the task does not carry any more', async () => {
    const world = createRedriveWorld(
      ruleTask({ source: { clusterId: 'devices', topicFilters: ['lifts/+'] } }),
    );
    await world.putForward('0');
    const job = await world.ask();
    await world.run();
    expect(await world.left()).toHaveLength(1);
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, skipped: 1 } });
  });

  it('waits while the target is away, loses nothing, and goes on by itself', async () => {
    const world = createRedriveWorld(ruleTask());
    for (let number = 0; number < 120; number += 1) await world.putForward(`${number}`);
    let sent = 0;
    world.producer.decide(() => {
      sent += 1;
      return sent > 70 ? away : undefined;
    });
    const job = await world.ask();
    await world.run();
    expect(await world.read(job)).toMatchObject({ state: 'waiting', reason: { code: 'TARGET_UNREACHABLE' } });
    expect(await world.left()).toHaveLength(50);
    world.producer.decide(() => undefined);
    await world.run();
    expect(await world.left()).toEqual([]);
    expect(stored(world)).toEqual(Array.from({ length: 120 }, (_, number) => `${number}`));
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, redriven: 120 } });
    expect(await world.read(job)).not.toHaveProperty('reason');
  });

  it('takes a refused rendered topic for the message’s own fault where the task runs', async () => {
    const task = ruleTask({ target: { clusterId: 'business', topic: 'charger_${topic[2]}' } });
    const world = createRedriveWorld(task);
    const refused = new BrokerHoldError('no such topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' });
    world.producer.decide(() => refused);
    await world.putForward('0');
    const job = await world.ask();
    await world.run();
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, failed: 1 } });
    expect(await world.left()).toMatchObject([{ code: 'TOPIC_NOT_FOUND', redrives: 1 }]);
  });

  it('keeps each message group in order, and behind one that is left carries nothing of it', async () => {
    const task = ruleTask({
      target: { clusterId: 'business', topic: 'fifo', messageGroup: '${topic[2]}' },
    });
    const world = createRedriveWorld(task);
    for (let number = 0; number < 12; number += 1) {
      await world.putForward(`${number}`, {}, { t: `stations/${number % 2}/status` });
    }
    let isAway = true;
    world.producer.decide(({ body }) => (isAway && body.toString() === '5' ? away : undefined));
    await world.ask();
    await world.run();
    const odd = () => stored(world, 'fifo').filter((text) => Number(text) % 2 === 1);
    expect(odd()).toEqual(['1', '3']);
    isAway = false;
    await world.run();
    expect(odd()).toEqual(['1', '3', '5', '7', '9', '11']);
    expect(await world.left()).toEqual([]);
  });

  it('reads a message that lies in the bucket', async () => {
    const world = createRedriveWorld(ruleTask({ options: { via: 'session' } }));
    const text = encodeSessionEnvelope({
      taskId: TASK_ID,
      version: 1,
      messageId: 'large',
      receiptTimeMs: NOW_MS,
      topicName: 'stations/42/status',
      payload: Buffer.alloc(300_000, 'x'),
      userProperties: [],
    });
    await world.largeBodies.put('overflow/large', text);
    await world.put({ body: `{"v":2,"task":"${TASK_ID}","r":1,"s3":"overflow/large"}` });
    await world.ask();
    await world.run();
    expect(stored(world)).toEqual(['x'.repeat(300_000)]);
  });

  it('makes a message of what a topic rule could not put into the queue', async () => {
    const world = createRedriveWorld(ruleTask());
    await world.put({
      origin: 'rule',
      body: JSON.stringify({
        ruleName: `mqferry_dev_0a1b2c3d_${TASK_ID}_0`,
        topic: 'stations/42/status',
        clientId: 'charger-42',
        base64OriginalPayload: Buffer.from('offline').toString('base64'),
        failures: [{ errorMessage: 'throttled' }],
      }),
    });
    await world.ask();
    await world.run();
    const [message] = world.producer.stored('charger_status');
    expect(message?.body.toString()).toBe('offline');
    expect(message?.properties.get('mqtt_client_id')).toBe('charger-42');
    expect(await world.left()).toEqual([]);
  });

  it('leaves alone what came after the request, and what nobody knows', async () => {
    const world = createRedriveWorld(ruleTask());
    await world.put({ origin: 'unknown', body: 'odd' });
    const job = await world.ask();
    await world.putForward('late', { storedAtMs: NOW_MS + 60_000, failedAtMs: NOW_MS + 60_000 });
    await world.run();
    expect(await world.left()).toHaveLength(2);
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, missing: 1 } });
  });

  it('never keeps a job longer than it is its own, however low the rate', async () => {
    const world = createRedriveWorld(ruleTask());
    for (let number = 0; number < 60; number += 1) await world.putForward(`${number}`);
    const job = await world.ask({ maxMessagesPerSecond: 1 });
    const saves: number[] = [];
    const { save } = world.jobs;
    world.jobs.save = async (...args) => {
      saves.push(world.clock.now());
      return save(...args);
    };
    await world.run();
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { redriven: 60 } });
    const gaps = saves.slice(1).map((atMs, index) => atMs - (saves[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(20_000);
  });

  it('lets a discarding pass a redrive that waits, and no other redrive', async () => {
    const world = createRedriveWorld(ruleTask());
    await world.putForward('0');
    await world.putForward('1', { code: 'OTHER' });
    await world.putForward('2', { code: 'THIRD' });
    world.producer.decide(() => away);
    const first = await world.ask({ selection: { code: 'TEMPLATE_VALUE_MISSING' } });
    const second = await world.ask({ selection: { code: 'THIRD' } });
    const discard = await world.ask({ action: 'discard', selection: { code: 'OTHER' } });
    await world.run();
    expect(await world.read(first)).toMatchObject({ state: 'waiting' });
    expect(await world.read(second)).toEqual(second);
    expect(await world.read(discard)).toMatchObject({ state: 'done', counts: { discarded: 1 } });
    world.producer.decide(() => undefined);
    await world.run();
    expect(stored(world)).toEqual(['0', '2']);
  });

  it('waits while the task is paused, and ends when it is gone', async () => {
    const world = createRedriveWorld(ruleTask({}, { desired: 'paused', status: 'paused' }));
    await world.putForward('0');
    const job = await world.ask();
    await world.run();
    expect(await world.read(job)).toMatchObject({ state: 'waiting', reason: { code: 'TASK_NOT_RUNNING' } });
    world.setTask(ruleTask());
    await world.run();
    expect(await world.left()).toEqual([]);

    await world.putForward('1');
    const late = await world.ask();
    world.setTask(undefined);
    await world.run();
    expect(await world.read(late)).toMatchObject({ state: 'done', reason: { code: 'TASK_NOT_FOUND' } });
    expect(await world.left()).toHaveLength(1);
  });

  it('goes on in the next run when the time is over', async () => {
    const world = createRedriveWorld(ruleTask());
    for (let number = 0; number < 200; number += 1) await world.putForward(`${number}`);
    const job = await world.ask({ maxMessagesPerSecond: 10 });
    await world.run({ runMs: 55_000 });
    expect(await world.read(job)).toMatchObject({ state: 'running' });
    const left = await world.left();
    expect(left.length).toBeGreaterThan(0);
    await world.run({ owner: 'next' });
    expect(await world.left()).toEqual([]);
    expect(new Set(stored(world)).size).toBe(200);
    expect(stored(world)).toHaveLength(200);
  });

  it('marks what it sends twice, when it was killed before it could say so', async () => {
    const world = createRedriveWorld(ruleTask());
    const letter = await world.putForward('0');
    await world.ask();
    const { remove } = world.deadLetters;
    world.deadLetters.remove = async () => {
      throw new Error('table away');
    };
    await world.run();
    world.deadLetters.remove = remove;
    world.clock.step(60_000);
    await world.run({ owner: 'next' });
    expect(await world.left()).toEqual([]);
    expect(
      world.producer.stored('charger_status').map(({ properties }) => properties.get('mqferry_redriven')),
    ).toEqual([letter.deadLetterId, letter.deadLetterId]);
  });

  it('discards, also where the task is gone', async () => {
    const world = createRedriveWorld(undefined);
    for (let number = 0; number < 120; number += 1) {
      await world.putForward(`${number}`, number < 100 ? {} : { code: 'OTHER' });
    }
    const job = await world.ask({ action: 'discard', selection: { code: 'TEMPLATE_VALUE_MISSING' } });
    await world.run({ taskId: TASK_ID });
    expect(await world.left()).toHaveLength(20);
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, discarded: 100 } });
    expect(world.producer.sends).toBe(0);
  });

  it('does nothing more once the stack is being removed', async () => {
    const world = createRedriveWorld(ruleTask());
    await world.putForward('0');
    const job = await world.ask();
    world.beginRemoval();
    await world.run();
    expect(await world.read(job)).toMatchObject({ state: 'queued' });
    expect(world.producer.sends).toBe(0);
  });

  it('does one job of a task after the other', async () => {
    const world = createRedriveWorld(ruleTask());
    await world.putForward('0');
    await world.putForward('1', { code: 'OTHER' });
    const discard = await world.ask({ action: 'discard', selection: { code: 'OTHER' } });
    const redrive = await world.ask();
    await world.run();
    expect(await world.read(discard)).toMatchObject({ state: 'done', counts: { discarded: 1 } });
    expect(await world.read(redrive)).toMatchObject({ state: 'done', counts: { redriven: 1 } });
  });
});

describe('createWorkOnJobs, to MQTT', () => {
  const published = (world: ReturnType<typeof createRedriveWorld>) =>
    world.publisher.published.map(({ payload }) => payload.toString());

  it('publishes dead letters through the mapping as it is now, over a connection of its own', async () => {
    const world = createRedriveWorld(pullTask());
    const letter = await world.putPulled('reset');
    const job = await world.ask();
    await world.run();
    expect(world.publisher.published).toMatchObject([
      { topicName: 'stations/42/commands', payload: Buffer.from('reset'), qos: 1 },
    ]);
    expect(world.publisher.published[0]?.userProperties).toContainEqual([
      'mqferry_redriven',
      letter.deadLetterId,
    ]);
    expect(world.clientIds).toEqual([`mqferry-${TASK_ID}-r`]);
    expect(await world.left()).toEqual([]);
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, redriven: 1 } });
  });

  it('keeps the order of each message group', async () => {
    const world = createRedriveWorld(pullTask());
    for (let number = 0; number < 40; number += 1) {
      await world.putPulled(`${number}`, { messageGroup: `g${number % 2}` });
    }
    let isAway = true;
    world.publisher.decide(({ payload }) => (isAway && payload.toString() === '4' ? away : undefined));
    await world.ask();
    await world.run();
    expect(published(world).filter((text) => Number(text) % 2 === 0)).toEqual(['0', '2']);
    isAway = false;
    await world.run();
    expect(published(world).filter((text) => Number(text) % 2 === 0)).toEqual(
      Array.from({ length: 20 }, (_, number) => `${number * 2}`),
    );
    expect(await world.left()).toEqual([]);
  });

  it('keeps what cannot be mapped or is refused, and waits for a broker that is away', async () => {
    const world = createRedriveWorld(pullTask());
    await world.putPulled('no key', { keys: [] });
    const refusal = new BrokerHoldError('not allowed', { code: 'ACCESS_DENIED', scope: 'topic' });
    await world.putPulled('refused');
    world.publisher.decide(({ payload }) => (payload.toString() === 'refused' ? refusal : undefined));
    const job = await world.ask();
    await world.run();
    expect((await world.left()).map(({ code }) => code)).toEqual(['TEMPLATE_VALUE_MISSING', 'ACCESS_DENIED']);
    expect(await world.read(job)).toMatchObject({ state: 'done', counts: { ...COUNTS, failed: 2 } });

    world.publisher.goAway();
    const next = await world.ask();
    await world.run();
    expect(await world.read(next)).toMatchObject({
      state: 'waiting',
      reason: { code: 'TARGET_UNREACHABLE' },
    });
    expect(await world.left()).toHaveLength(2);
  });
});

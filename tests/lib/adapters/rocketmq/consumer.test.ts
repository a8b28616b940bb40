import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemorySecretReader } from '../../../../lib/adapters/memory/secret-reader.ts';
import { createMessageConsumers } from '../../../../lib/adapters/rocketmq/consumers.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import type { RocketmqClusterRecord } from '../../../../lib/domain/clusters/cluster.ts';
import type { Clock } from '../../../../lib/ports/clock.ts';
import type { SecretReader } from '../../../../lib/ports/secret-reader.ts';
import { rocketmqCluster } from '../../../helpers/cluster-record.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { createFakePop, type FakePop, type ReceiveScript } from '../../../helpers/fake-rocketmq-pop.ts';
import { type FakeTopic, startFakeProxy } from '../../../helpers/fake-rocketmq-proxy.ts';

const POP = { maxMessages: 32, invisibleDurationMs: 30_000, awaitMs: 1_000 };
const NOTHING: ReceiveScript = { end: { code: 40_401 } };
const LOST: ReceiveScript = { end: { code: 50_001, text: 'because "settings" is null' } };
const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq';
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Start {
  topic?: FakeTopic;
  clock?: Clock;
  secrets?: SecretReader;
  cluster?: Partial<RocketmqClusterRecord>;
}

async function start(given: Start = {}) {
  const {
    topic = { types: ['NORMAL'] },
    clock = systemClock,
    secrets = createMemorySecretReader({}),
  } = given;
  const pop = createFakePop();
  const proxy = await startFakeProxy({ topics: { t: topic } }, pop.extend);
  closers.push(() => proxy.stop());
  const consumers = createMessageConsumers({ secrets, clock });
  closers.push(() => consumers.close());
  const filter = { type: 'tag', expression: 'a || b' } as const;
  const subscription = { rocketmqTopic: 't', consumerGroup: 'g', filter };
  const cluster = rocketmqCluster({ endpoint: proxy.endpoint, ...given.cluster });
  const open = () => consumers.open(cluster, subscription);
  return { pop, proxy, consumers, open, consumer: await open() };
}

/** Answers the receives with these, one after another, then with nothing. */
function script(pop: FakePop, answers: readonly ReceiveScript[]): void {
  const rest = [...answers];
  pop.receive = () => rest.shift() ?? NOTHING;
}

describe('RocketmqConsumer', () => {
  describe('receive', () => {
    it('introduces itself once, and asks for what it is told to', async () => {
      const { pop, consumer } = await start();
      script(pop, [{ messages: ['x', 'y'], end: { code: 20_000 } }, NOTHING]);
      const messages = await consumer.receive({ ...POP, maxMessages: 100, awaitMs: 60_000 });
      expect(messages).toMatchObject([
        { rocketmqTopic: 't', messageId: 'id-x', receiptHandle: 'receipt-x', brokerName: 'broker-0' },
        { body: Buffer.from('y'), queueOffset: 1, isCorrupted: false },
      ]);
      expect(await consumer.receive(POP)).toEqual([]);
      expect(pop.told.settings).toHaveLength(1);
      const settings = pop.told.settings[0]?.command.getSettings();
      expect(settings?.getClientType()).toBe(3);
      expect(settings?.getSubscription()?.getGroup()?.getName()).toBe('g');
      const entries = settings?.getSubscription()?.getSubscriptionsList() ?? [];
      expect(entries.map((entry) => entry.getExpression()?.getExpression())).toEqual(['a || b']);
      const [request] = pop.told.receives;
      expect(request?.getBatchSize()).toBe(32);
      expect(request?.getInvisibleDuration()?.getSeconds()).toBe(30);
      expect(request?.getLongPollingTimeout()?.getSeconds()).toBe(20);
      expect(request?.getFilterExpression()?.getType()).toBe(1);
      expect(request?.getMessageQueue()?.getBroker()?.getName()).toBe('broker-0');
      expect(request?.getAttemptId()).toBe('');
    });

    it('delivers what came before an error, and what stands beside an answer that cannot be read', async () => {
      const { pop, consumer } = await start();
      const unreadable = Buffer.from([0x12, 0x7f, 0x01]);
      script(pop, [
        { messages: ['x', unreadable, 'y'], end: { code: 20_000 } },
        { messages: ['z'], end: { grpc: 14, details: 'gone' } },
        { messages: [unreadable], end: { code: 20_000 } },
      ]);
      const bodies = async () => (await consumer.receive(POP)).map(({ body }) => `${body}`);
      expect(await bodies()).toEqual(['x', 'y']);
      expect(await bodies()).toEqual(['z']);
      await expect(bodies()).rejects.toMatchObject({ code: 'TARGET_RESULTS_UNCLEAR', reaction: 'retry' });
    });

    it('tells when a poll rests and the proxy does not even answer a heartbeat, and goes on with it', async () => {
      const { pop, consumer } = await start();
      await consumer.receive(POP);
      script(pop, [{ end: 'silence' }]);
      pop.heartbeat = () => 'silence';
      const stop = new AbortController();
      const silent = Promise.withResolvers<unknown>();
      const receiving = consumer.receive({ ...POP, signal: stop.signal, onSilent: silent.resolve });
      const outcome = await Promise.race([silent.promise, receiving]);
      expect(outcome).toMatchObject({ code: 'TARGET_TIMEOUT', reaction: 'retry' });
      stop.abort();
      expect(await receiving).toEqual([]);
    }, 15_000);

    it('goes on with a poll that rests while the proxy answers', async () => {
      const { pop, consumer } = await start();
      let beats = 0;
      pop.heartbeat = () => {
        beats += 1;
        return 'answer';
      };
      script(pop, [{ end: 'silence' }]);
      const stop = new AbortController();
      const onSilent = jest.fn();
      const receiving = consumer.receive({ ...POP, signal: stop.signal, onSilent });
      await eventually(
        async () => beats,
        (count) => count > 0,
        { timeoutMs: 5_000, everyMs: 20, what: 'the proxy is asked' },
      );
      stop.abort();
      expect(await receiving).toEqual([]);
      expect(onSilent).not.toHaveBeenCalled();
    }, 15_000);

    it('sends its settings again when the proxy has lost them, once for each receive', async () => {
      const { pop, consumer } = await start();
      script(pop, [LOST, { messages: ['x'], end: { code: 20_000 } }, LOST, LOST]);
      expect(await consumer.receive(POP)).toHaveLength(1);
      expect(pop.told.settings).toHaveLength(2);
      await expect(consumer.receive(POP)).rejects.toMatchObject({ code: 'CONSUMER_SETTINGS_LOST' });
      expect(pop.told.receives).toHaveLength(4);
    });

    it('introduces itself anew when the proxy has ended the stream', async () => {
      const { pop, consumer } = await start();
      await consumer.receive(POP);
      pop.endStreams();
      await eventually(
        async () => {
          await consumer.receive(POP);
          return pop.told.settings.length;
        },
        (count) => count === 2,
        { timeoutMs: 5_000, everyMs: 20, what: 'settings are sent again' },
      );
    });

    it('introduces itself anew after a minute of silence, over a new connection', async () => {
      const clock = createManualClock(Date.now());
      const { pop, proxy, consumer } = await start({ clock });
      await consumer.receive(POP);
      await clock.advance(59_000);
      await consumer.receive(POP);
      expect([pop.told.settings.length, proxy.peers.size]).toEqual([1, 1]);
      await clock.advance(61_000);
      await consumer.receive(POP);
      expect([pop.told.settings.length, proxy.peers.size]).toEqual([2, 2]);
    });

    it('gives up a proxy that does not answer to its settings, and tries another connection', async () => {
      const { pop, proxy, consumer } = await start();
      pop.settings = 'silence';
      await expect(consumer.receive(POP)).rejects.toMatchObject({ code: 'TARGET_TIMEOUT' });
      pop.settings = { fifo: false };
      expect(await consumer.receive(POP)).toEqual([]);
      expect(proxy.peers.size).toBe(2);
    });

    it('ends at once when its signal aborts, wherever it waits', async () => {
      const { pop, consumer } = await start();
      pop.settings = 'silence';
      const early = new AbortController();
      const first = consumer.receive({ ...POP, signal: early.signal });
      early.abort();
      expect(await first).toEqual([]);
      pop.settings = { fifo: false };
      const stop = new AbortController();
      pop.receive = () => ({ messages: ['x'], end: 'silence' });
      const second = consumer.receive({ ...POP, awaitMs: 20_000, signal: stop.signal });
      await eventually(
        async () => pop.told.receives.length,
        (count) => count === 1,
        { timeoutMs: 5_000, everyMs: 10, what: 'the receive has arrived' },
      );
      stop.abort();
      expect((await second).length).toBeLessThanOrEqual(1);
      expect(await consumer.receive({ ...POP, signal: stop.signal })).toEqual([]);
    });

    it.each([
      { status: 42_900, code: 'TARGET_THROTTLED', reaction: 'throttle' },
      { status: 40_403, code: 'CONSUMER_GROUP_NOT_FOUND', reaction: 'hold' },
      { status: 40_010, code: 'FILTER_INVALID', reaction: 'hold' },
      { status: 40_000, code: 'TARGET_ERROR', reaction: 'retry' },
      { status: 40_002, code: 'TOPIC_REFUSED', reaction: 'hold' },
    ])('tells $status as $code: $reaction', async ({ status, code, reaction }) => {
      const { pop, consumer } = await start();
      script(pop, [{ end: { code: status } }]);
      await expect(consumer.receive(POP)).rejects.toMatchObject({ code, reaction });
    });

    it('holds a group that the proxy does not take', async () => {
      const { pop, consumer } = await start();
      pop.settings = { grpc: 3, details: 'the specified group[a b] contains illegal characters' };
      await expect(consumer.receive(POP)).rejects.toMatchObject({ code: 'CONSUMER_GROUP_INVALID' });
    });

    it('holds a FIFO topic whose group keeps no order, and makes an unanswered attempt again as the same', async () => {
      const { pop, consumer } = await start({ topic: { types: ['FIFO'] } });
      await expect(consumer.receive(POP)).rejects.toMatchObject({
        code: 'CONSUMER_GROUP_NOT_ORDERLY',
        scope: 'topic',
      });
      pop.settings = { fifo: true };
      pop.endStreams();
      script(pop, [{ end: { grpc: 14, details: 'gone' } }, NOTHING, NOTHING]);
      await eventually(
        () => consumer.receive(POP).catch(({ code }: { code: string }) => code),
        (answer) => answer === 'TARGET_UNAVAILABLE',
        { timeoutMs: 5_000, everyMs: 20, what: 'the group is orderly' },
      );
      for (const _ of [1, 2]) expect(await consumer.receive(POP)).toEqual([]);
      const [lost, again, next] = pop.told.receives.map((request) => request.getAttemptId());
      expect(lost).not.toBe('');
      expect(again).toBe(lost);
      expect(next).not.toBe(lost);
    });

    it('takes turns over the brokers, each by its own proxy, or asks the one that is named', async () => {
      const other = createFakePop();
      const second = await startFakeProxy({ topics: {} }, other.extend);
      closers.push(() => second.stop());
      const topic: FakeTopic = { types: ['NORMAL'], endpoints: ['127.0.0.1:1', second.endpoint] };
      const { pop, proxy, consumer } = await start({ topic });
      topic.endpoints = [proxy.endpoint, second.endpoint];
      expect(await consumer.brokers()).toEqual(['broker-0', 'broker-1']);
      for (const _ of [1, 2, 3, 4]) await consumer.receive(POP);
      expect([pop.told.receives.length, other.told.receives.length]).toEqual([2, 2]);
      script(other, [{ messages: ['x'], end: { code: 20_000 } }]);
      const messages = await consumer.receive({ ...POP, broker: 'broker-1' });
      expect(messages).toMatchObject([{ brokerName: 'broker-1' }]);
      expect(await consumer.ack(messages)).toEqual([{ status: 'acked' }]);
      expect([pop.told.acks.length, other.told.acks.length]).toEqual([0, 1]);
      await expect(consumer.receive({ ...POP, broker: 'gone' })).rejects.toMatchObject({
        code: 'BROKER_NOT_IN_ROUTE',
      });
    });

    it('holds a topic without a readable queue', async () => {
      const { consumer } = await start({ topic: { types: ['NORMAL'], permission: 'WRITE' } });
      await expect(consumer.receive(POP)).rejects.toMatchObject({
        code: 'TOPIC_NOT_READABLE',
        scope: 'topic',
      });
    });
  });

  describe('ack', () => {
    async function received(bodies: readonly string[]) {
      const started = await start();
      script(started.pop, [{ messages: bodies, end: { code: 20_000 } }]);
      return { ...started, messages: await started.consumer.receive(POP) };
    }

    it('gives back many receipts in one request, and tells their results apart', async () => {
      const { pop, consumer, messages } = await received(['a', 'b', 'c', 'd']);
      pop.ack = () => ({ code: 30_000, entries: [20_000, 40_013, 50_001] });
      expect(await consumer.ack(messages)).toMatchObject([
        { status: 'acked' },
        { status: 'expired' },
        { status: 'failed', error: { code: 'TARGET_ERROR', maybeStored: false } },
        { status: 'failed', error: { code: 'TARGET_RESULTS_UNCLEAR' } },
      ]);
      const [request] = pop.told.acks;
      expect(pop.told.acks).toHaveLength(1);
      expect(request?.getGroup()?.getName()).toBe('g');
      expect(request?.getTopic()?.getName()).toBe('t');
      expect(
        request?.getEntriesList().map((entry) => [entry.getMessageId(), entry.getReceiptHandle()]),
      ).toEqual(['a', 'b', 'c', 'd'].map((body) => [`id-${body}`, `receipt-${body}`]));
    });

    it.each([
      { code: 20_000, status: 'acked' },
      { code: 40_013, status: 'expired' },
      { code: 42_900, status: 'failed' },
    ])('takes the status $code of a request for each of its messages', async ({ code, status }) => {
      const { pop, consumer, messages } = await received(['a', 'b']);
      pop.ack = () => ({ code });
      expect((await consumer.ack(messages)).map((result) => result.status)).toEqual([status, status]);
    });

    it('fails, and does not throw, when the cluster is away', async () => {
      const { proxy, consumer, messages } = await received(['a']);
      proxy.stop();
      expect(await consumer.ack(messages)).toMatchObject([
        { status: 'failed', error: { reaction: 'retry', scope: 'cluster' } },
      ]);
    });
  });

  describe('changeInvisibleDuration', () => {
    it('asks for each message, at most 16 at a time, and keeps the new receipts', async () => {
      const { pop, proxy, consumer } = await start();
      const bodies = Array.from({ length: 20 }, (_, index) => `${index}`);
      script(pop, [{ messages: bodies, end: { code: 20_000 } }]);
      const messages = await consumer.receive(POP);
      pop.change = (request) =>
        request.getReceiptHandle() === 'receipt-7'
          ? { code: 40_013 }
          : { code: 20_000, receiptHandle: '4 1 30000 0 0 broker-0 2 9 77' };
      const changed = await consumer.changeInvisibleDuration(messages, 45_000);
      expect(changed.flatMap((isOurs, index) => (isOurs ? [] : [index]))).toEqual([7]);
      expect(pop.told.changes[0]?.getInvisibleDuration()?.getSeconds()).toBe(45);
      expect(messages[7]?.receiptHandle).toBe('receipt-7');
      // The check point of a changed message begins at its own offset.
      expect(messages[8]?.receiptHandle).toBe('9 1 30000 0 0 broker-0 2 9 77');
      pop.change = () => 'silence';
      const unanswered = consumer.changeInvisibleDuration(messages, 45_000);
      await eventually(
        async () => pop.told.changes.length,
        (count) => count === 20 + 16,
        { timeoutMs: 5_000, everyMs: 10, what: '16 changes are in flight' },
      );
      proxy.stop();
      expect(await unanswered).not.toContain(true);
    });
  });

  it('has one deadline for all of its changes, and is not held up by a broker that is dead', async () => {
    const other = createFakePop();
    const second = await startFakeProxy({ topics: {} }, other.extend);
    closers.push(() => second.stop());
    const topic: FakeTopic = { types: ['NORMAL'], endpoints: ['127.0.0.1:1', second.endpoint] };
    let behindMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() - behindMs };
    const { pop, proxy, consumer } = await start({ topic, clock });
    topic.endpoints = [proxy.endpoint, second.endpoint];
    const bodies = Array.from({ length: 20 }, (_, index) => `${index}`);
    for (const fake of [pop, other]) script(fake, [{ messages: bodies, end: { code: 20_000 } }]);
    const dead = await consumer.receive({ ...POP, broker: 'broker-0' });
    const well = await consumer.receive({ ...POP, broker: 'broker-1' });
    pop.change = () => 'silence';
    other.change = () => ({ code: 20_000, receiptHandle: '4 1 30000 0 0 broker-1 2 9 77' });
    // Half a second is left of the four.
    behindMs = 3_500;
    const changed = await consumer.changeInvisibleDuration([...dead, ...well], 45_000);
    expect(changed).toEqual([...dead.map(() => false), ...well.map(() => true)]);
    expect(pop.told.changes).toHaveLength(16);
  });

  it('does all of it again with the new secret when the credentials are refused', async () => {
    const members = (secretKey: string) => ({ accessKey: 'AK', secretKey });
    const secrets: SecretReader = { read: async (_, options) => members(options?.fresh ? 'new' : 'old') };
    const { pop, consumer } = await start({ secrets, cluster: { secretRef: SECRET } });
    let refusals = 0;
    pop.receive = () => {
      refusals += 1;
      return refusals === 1 ? { end: { code: 40_100 } } : { messages: ['x'], end: { code: 20_000 } };
    };
    expect(await consumer.receive(POP)).toHaveLength(1);
    expect(pop.told.settings.map(({ clientId }) => clientId)).toHaveLength(2);
  });

  it('is one client to the cluster for each consumer, and says farewell', async () => {
    const { pop, consumers, open, consumer } = await start();
    const other = await open();
    await Promise.all([consumer.receive(POP), other.receive(POP)]);
    expect(new Set(pop.told.settings.map(({ clientId }) => clientId)).size).toBe(2);
    await consumer.close();
    expect(pop.told.terminations).toBe(1);
    await consumers.close();
    expect(pop.told.terminations).toBe(2);
    await expect(other.receive(POP)).rejects.toMatchObject({ code: 'CONSUMER_CLOSED' });
    await expect(open()).rejects.toThrow('closed');
  });

  it('opens for no cluster whose secret cannot be read', async () => {
    const { consumers } = await start();
    const cluster = rocketmqCluster({ secretRef: SECRET });
    const filter = { type: 'tag', expression: '*' } as const;
    await expect(
      consumers.open(cluster, { rocketmqTopic: 't', consumerGroup: 'g', filter }),
    ).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  });
});

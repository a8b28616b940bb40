import { describe, expect, test } from '@jest/globals';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import type { MessageConsumer, ReceivedMessage, Subscription } from '../../lib/ports/message-consumer.ts';
import { expectSame, plain } from './message-producer.ts';

export interface ConsumerUnderTest {
  /** A new topic with its first message offset at 0, and the name of a group that suits it. */
  createTopic(type: 'NORMAL' | 'FIFO'): Promise<{ rocketmqTopic: string; consumerGroup: string }>;
  open(subscription: Subscription): Promise<MessageConsumer>;
  /** Stores messages of one topic, those of a message group in order. */
  put(messages: readonly RocketmqMessage[]): Promise<void>;
  /** Answers what the promise does; time passes until it has settled, where it must be turned. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** So much time passes. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

const INVISIBLE_MS = 10_000;
const AWAIT_MS = 5_000;
const ALL = { type: 'tag', expression: '*' } as const;
const acked = { status: 'acked' };
const expired = { status: 'expired' };

/** A consumer under test with what the promises do again and again. */
interface ConsumerTest {
  under: ConsumerUnderTest;
  open(
    type: 'NORMAL' | 'FIFO',
    filter?: Subscription['filter'],
  ): Promise<{ rocketmqTopic: string; consumerGroup: string; consumer: MessageConsumer }>;
  receive(
    consumer: MessageConsumer,
    maxMessages?: number,
    invisibleDurationMs?: number,
  ): Promise<ReceivedMessage[]>;
  /** Receives until so many have come, within a bounded number of receives. */
  collect(consumer: MessageConsumer, count: number, invisibleDurationMs?: number): Promise<ReceivedMessage[]>;
}

function testOf(under: ConsumerUnderTest): ConsumerTest {
  const receive: ConsumerTest['receive'] = (consumer, maxMessages = 32, invisibleDurationMs = INVISIBLE_MS) =>
    under.settle(consumer.receive({ maxMessages, invisibleDurationMs, awaitMs: AWAIT_MS }));
  return {
    under,
    async open(type, filter = ALL) {
      const topic = await under.createTopic(type);
      return { ...topic, consumer: await under.open({ ...topic, filter }) };
    },
    receive,
    async collect(consumer, count, invisibleDurationMs = INVISIBLE_MS) {
      const messages: ReceivedMessage[] = [];
      for (let tries = 0; messages.length < count && tries < count + 20; tries += 1) {
        messages.push(...(await receive(consumer, 32, invisibleDurationMs)));
      }
      return messages;
    },
  };
}

/** What every consumer promises. `build` is called for each test. */
export function describeMessageConsumer(name: string, build: () => Promise<ConsumerUnderTest>): void {
  describe(`MessageConsumer, ${name}`, () => {
    /** One promise. They wait for receipts to expire and receives to stay empty, so they are looked at side by side. */
    const it = (promise: string, look: (test: ConsumerTest) => Promise<void>) =>
      test.concurrent(promise, async () => {
        const under = await build();
        try {
          await look(testOf(under));
        } finally {
          await under.close();
        }
      });

    it('receives body, tag, keys and properties as they were stored, and where', async ({
      under,
      open,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      const stored = [
        plain(rocketmqTopic, 'bare'),
        { ...plain(rocketmqTopic, ''), body: Buffer.from([0, 255, 128]), tag: 'état', keys: ['k1', 'k€2'] },
        {
          ...plain(rocketmqTopic, 'properties'),
          properties: new Map([
            ['constructor', 'x'],
            ['naïve', '✓ 😀'],
          ]),
        },
      ];
      await under.put(stored);
      const messages = await collect(consumer, stored.length, 30_000);
      expectSame(messages, stored);
      expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(stored.length);
      const brokers = await consumer.brokers();
      for (const message of messages) {
        expect(message).toMatchObject({ rocketmqTopic, deliveryAttempt: 1, isCorrupted: false });
        expect(brokers).toContain(message.brokerName);
        expect([message.queueId, message.queueOffset].every((value) => value >= 0)).toBe(true);
        expect(message.bornTimeMs).toBeGreaterThan(Date.UTC(2025, 0, 1));
      }
    });

    it('takes no more than it is told to', async ({ under, open, receive }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      await under.put(Array.from({ length: 40 }, (_, index) => plain(rocketmqTopic, `${index}`)));
      expect(await receive(consumer, 1, 30_000)).toHaveLength(1);
      expect((await receive(consumer, 32, 30_000)).length).toBeLessThanOrEqual(32);
    });

    it('receives what is acknowledged once, and answers empty when there is nothing', async ({
      under,
      open,
      receive,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      const stored = Array.from({ length: 40 }, (_, index) => plain(rocketmqTopic, `${index}`));
      await under.put(stored);
      const messages = await collect(consumer, stored.length);
      expectSame(messages, stored);
      expect(await under.settle(consumer.ack(messages))).toEqual(messages.map(() => acked));
      await under.elapse(INVISIBLE_MS + 2_000);
      expect(await receive(consumer)).toEqual([]);
    });

    it('receives again, counted, what was not acknowledged in its time; the old receipt has expired', async ({
      under,
      open,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      await under.put(['kept', 'lost'].map((body) => plain(rocketmqTopic, body)));
      const messages = await collect(consumer, 2);
      const [kept, lost] = [messageOf(messages, 'kept'), messageOf(messages, 'lost')] as const;
      expect(await under.settle(consumer.ack([kept]))).toEqual([acked]);
      await under.elapse(INVISIBLE_MS);
      const again = await collect(consumer, 1);
      expect(again).toMatchObject([{ messageId: lost.messageId, deliveryAttempt: 2, body: lost.body }]);
      expect(await under.settle(consumer.ack([lost, ...again]))).toEqual([expired, acked]);
      expect(await under.settle(consumer.changeInvisibleDuration([lost], 20_000))).toEqual([false]);
    });

    it('keeps messages for longer with changed receipts, at no attempt', async ({
      under,
      open,
      receive,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      await under.put(['a', 'b', 'c'].map((body) => plain(rocketmqTopic, body)));
      const messages = await collect(consumer, 3);
      const before = messages.map(({ receiptHandle }) => receiptHandle);
      for (const ms of [12_000, 30_000]) {
        expect(await under.settle(consumer.changeInvisibleDuration(messages, ms))).toEqual([
          true,
          true,
          true,
        ]);
      }
      expect(messages.map(({ receiptHandle }) => receiptHandle)).not.toEqual(before);
      await under.elapse(INVISIBLE_MS + 2_000);
      expect(await receive(consumer)).toEqual([]);
      const [first, ...others] = messages;
      expect(await under.settle(consumer.ack(others))).toEqual([acked, acked]);
      expect(first && (await under.settle(consumer.changeInvisibleDuration([first], 1_000)))).toEqual([true]);
      expect(await collect(consumer, 1)).toMatchObject([{ messageId: first?.messageId, deliveryAttempt: 2 }]);
    });

    it('receives the tags it asked for', async ({ under, open, receive, collect }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL', { type: 'tag', expression: 'a || b' });
      const stored = ['a', 'b', 'c', undefined].map((tag, index) => ({
        ...plain(rocketmqTopic, `${index}`),
        ...(tag === undefined ? {} : { tag }),
      }));
      await under.put(stored);
      const messages = await collect(consumer, 2);
      expectSame(messages, stored.slice(0, 2));
      await under.settle(consumer.ack(messages));
      expect(await receive(consumer)).toEqual([]);
    });

    it('receives what the SQL92 filter passes', async ({ under, open, receive, collect }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL', { type: 'sql92', expression: 'level > 3' });
      const stored = [1, 5, 3, 9].map((level) => ({
        ...plain(rocketmqTopic, `${level}`),
        properties: new Map([['level', `${level}`]]),
      }));
      await under.put(stored);
      const messages = await collect(consumer, 2);
      expect(messages.map(({ body }) => `${body}`).sort()).toEqual(['5', '9']);
      await under.settle(consumer.ack(messages));
      expect(await receive(consumer)).toEqual([]);
    });

    it('holds receiving with an SQL92 filter that cannot be read', async ({ open, receive }) => {
      const { consumer } = await open('NORMAL', { type: 'sql92', expression: 'level >' });
      await expect(receive(consumer)).rejects.toMatchObject({
        code: 'FILTER_INVALID',
        reaction: 'hold',
        scope: 'topic',
      });
    });

    it('gives every group everything', async ({ under, open, collect }) => {
      const { consumer, rocketmqTopic, consumerGroup } = await open('NORMAL');
      const other = await under.open({ rocketmqTopic, consumerGroup: `${consumerGroup}_2`, filter: ALL });
      const stored = ['a', 'b'].map((body) => plain(rocketmqTopic, body));
      await under.put(stored);
      expectSame(await collect(consumer, 2), stored);
      expectSame(await collect(other, 2), stored);
    });

    it('ends a receive empty when its signal aborts', async ({ under, open, collect }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      const stop = new AbortController();
      const receiving = consumer.receive({
        maxMessages: 32,
        invisibleDurationMs: INVISIBLE_MS,
        awaitMs: 20_000,
        signal: stop.signal,
      });
      stop.abort();
      expect(await receiving).toEqual([]);
      await under.put([plain(rocketmqTopic, 'later')]);
      expect(await collect(consumer, 1)).toHaveLength(1);
    });

    it('ends receives under way empty when it is closed, and refuses new calls', async ({
      under,
      open,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('NORMAL');
      await under.put([plain(rocketmqTopic, 'a')]);
      const messages = await collect(consumer, 1);
      const options = { maxMessages: 32, invisibleDurationMs: INVISIBLE_MS, awaitMs: 20_000 };
      const receiving = consumer.receive(options);
      await consumer.close();
      expect(await receiving).toEqual([]);
      await expect(consumer.receive(options)).rejects.toMatchObject({ code: 'CONSUMER_CLOSED' });
      expect(await consumer.ack(messages)).toMatchObject([
        { status: 'failed', error: { code: 'CONSUMER_CLOSED' } },
      ]);
      expect(await consumer.changeInvisibleDuration(messages, 20_000)).toEqual([false]);
    });

    it('keeps order and lock of a FIFO queue, and counts the acknowledged prefix alone', async ({
      under,
      open,
      receive,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('FIFO');
      const bodies = Array.from({ length: 6 }, (_, index) => `${index}`);
      const stored = bodies.map((body) => ({ ...plain(rocketmqTopic, body), messageGroup: 'station' }));
      await under.put(stored.slice(0, 5));
      const first = await collect(consumer, 5);
      expect(first.map(({ body }) => `${body}`)).toEqual(bodies.slice(0, 5));
      expect(new Set(first.map(({ brokerName, queueId }) => `${brokerName}/${queueId}`)).size).toBe(1);
      await under.put(stored.slice(5));
      expect(await receive(consumer)).toEqual([]);
      const kept = first.filter(({ body }) => `${body}` !== '2');
      expect(await under.settle(consumer.changeInvisibleDuration(first, INVISIBLE_MS))).not.toContain(false);
      expect(await under.settle(consumer.ack(kept))).toEqual(kept.map(() => acked));
      const again = await collect(consumer, 4);
      expect(again.map(({ body }) => `${body}`)).toEqual(['2', '3', '4', '5']);
      expect(again.map(({ deliveryAttempt }) => deliveryAttempt)).toEqual([1, 1, 1, 1]);
      expect(await under.settle(consumer.ack(again))).toEqual(again.map(() => acked));
      expect(await receive(consumer)).toEqual([]);
    });

    it('gives a FIFO queue again as soon as what was received of it is handed back', async ({
      under,
      open,
      receive,
      collect,
    }) => {
      const { consumer, rocketmqTopic } = await open('FIFO');
      const bodies = ['0', '1', '2'];
      await under.put(bodies.map((body) => ({ ...plain(rocketmqTopic, body), messageGroup: 'station' })));
      const first = await collect(consumer, 3);
      expect(await receive(consumer)).toEqual([]);
      expect(await under.settle(consumer.changeInvisibleDuration(first, 1_000))).toEqual([true, true, true]);
      await under.elapse(1_000);
      const again = await receive(consumer);
      expect(again.map(({ body }) => `${body}`)).toEqual(bodies);
    });

    it('knows whether a topic keeps an order, and receives from the broker it names', async ({
      under,
      open,
    }) => {
      const [normal, fifo] = [await open('NORMAL'), await open('FIFO')];
      expect([await normal.consumer.isFifo(), await fifo.consumer.isFifo()]).toEqual([false, true]);
      const [broker = ''] = await normal.consumer.brokers();
      await under.put([plain(normal.rocketmqTopic, 'a')]);
      const messages = await under.settle(
        normal.consumer.receive({
          maxMessages: 32,
          invisibleDurationMs: INVISIBLE_MS,
          awaitMs: 5_000,
          broker,
        }),
      );
      expect(messages).toMatchObject([{ brokerName: broker }]);
    });

    it('holds everything about a topic that does not exist', async ({ under, receive }) => {
      const consumer = await under.open({ rocketmqTopic: 'missing', consumerGroup: 'g', filter: ALL });
      const missing = { code: 'TOPIC_NOT_FOUND', reaction: 'hold', scope: 'topic' };
      await expect(receive(consumer)).rejects.toMatchObject(missing);
      await expect(consumer.isFifo()).rejects.toMatchObject(missing);
      await expect(consumer.brokers()).rejects.toMatchObject(missing);
    });

    it('holds receiving with an invisible time below 10 s', async ({ open, receive }) => {
      const { consumer } = await open('NORMAL');
      await expect(receive(consumer, 32, 9_000)).rejects.toMatchObject({
        code: 'CONSUMER_SETTINGS_INVALID',
        reaction: 'hold',
      });
    });

    it('answers nothing for nothing', async ({ open }) => {
      const { consumer } = await open('NORMAL');
      expect(await consumer.ack([])).toEqual([]);
      expect(await consumer.changeInvisibleDuration([], INVISIBLE_MS)).toEqual([]);
    });
  });
}

function messageOf(messages: readonly ReceivedMessage[], body: string): ReceivedMessage {
  const found = messages.find((message) => `${message.body}` === body);
  if (found === undefined) throw new Error(`no message ${body}`);
  return found;
}

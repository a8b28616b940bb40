import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createManualClock } from '../../../lib/adapters/memory/clock.ts';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { encodeTermination } from '../../../lib/adapters/rocketmq/consumer-requests.ts';
import { createMessageConsumers } from '../../../lib/adapters/rocketmq/consumers.ts';
import { RocketmqProducer } from '../../../lib/adapters/rocketmq/producer.ts';
import { createProxies } from '../../../lib/adapters/rocketmq/proxies.ts';
import { remotingCall } from '../../../lib/adapters/rocketmq-admin/remoting-call.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../../lib/domain/messages/message.ts';
import { MAX_BODY_BYTES } from '../../../lib/domain/messages/rocketmq-limits.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { MessageConsumer, ReceivedMessage } from '../../../lib/ports/message-consumer.ts';
import { describeMessageConsumer } from '../../contract/message-consumer.ts';
import { expectSame, failures, plain } from '../../contract/message-producer.ts';
import { rocketmqCluster } from '../../helpers/cluster-record.ts';
import { startRelay } from '../../helpers/relay.ts';
import { startTestRocketmq, type TestRocketmq } from './test-rocketmq.ts';

jest.setTimeout(60_000);

let broker: TestRocketmq;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  broker = await startTestRocketmq();
}, 120_000);
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => broker?.stop(), 30_000);

function consumersFor(endpoint = broker.rocketmq.endpoint, clock: Clock = systemClock) {
  const consumers = createMessageConsumers({ secrets: createMemorySecretReader({}), clock });
  open.push(consumers);
  const cluster = rocketmqCluster({ endpoint });
  return { consumers, cluster };
}

async function createTopic(type: 'NORMAL' | 'FIFO') {
  const rocketmqTopic = await broker.createTopic(type);
  return { rocketmqTopic, consumerGroup: `group_${rocketmqTopic}` };
}

async function put(messages: readonly RocketmqMessage[]): Promise<void> {
  const producer = new RocketmqProducer({
    endpoint: broker.rocketmq.endpoint,
    tls: false,
    multiMessage: 'auto',
    clock: systemClock,
  });
  const topic = messages[0]?.rocketmqTopic ?? '';
  const results = await producer.send(topic, messages, { deadlineMs: Date.now() + 20_000 });
  await producer.close();
  const [error] = failures(results);
  if (error !== undefined) throw error;
}

describeMessageConsumer('RocketMQ 5.4.0', async () => {
  const { consumers, cluster } = consumersFor();
  return {
    createTopic,
    open: (subscription) => consumers.open(cluster, subscription),
    put,
    settle: (promise) => promise,
    elapse: (ms) => delay(ms),
    close: () => consumers.close(),
  };
});

describe('RocketmqConsumer on RocketMQ 5.4.0', () => {
  const POP = { maxMessages: 32, invisibleDurationMs: 10_000, awaitMs: 5_000 };
  const ALL = { type: 'tag', expression: '*' } as const;
  type Topic = Awaited<ReturnType<typeof createTopic>>;

  async function consume(topic: Topic, endpoint?: string) {
    const { consumers, cluster } = consumersFor(endpoint);
    return consumers.open(cluster, { ...topic, filter: ALL });
  }

  /** Receives and acknowledges until so many have come, errors aside; answers their bodies. */
  /** Acknowledged bodies, sorted. A broker that died may deliver one again: `distinct` counts it once. */
  async function drain(
    consumer: MessageConsumer,
    count: number,
    timeoutMs: number,
    options: { distinct?: boolean } = {},
  ): Promise<string[]> {
    const bodies: string[] = [];
    const deadline = Date.now() + timeoutMs;
    const counted = () => (options.distinct === true ? [...new Set(bodies)] : bodies);
    while (counted().length < count && Date.now() < deadline) {
      const messages = await consumer.receive(POP).catch(() => delay(100, []));
      const results = await consumer.ack(messages);
      for (const [place, { body }] of messages.entries()) {
        if (results[place]?.status === 'acked') bodies.push(`${body}`);
      }
    }
    return counted().toSorted();
  }

  it('receives the largest bodies of a broker', async () => {
    const topic = await createTopic('NORMAL');
    const stored = [1, 2].map((fill) => ({
      ...plain(topic.rocketmqTopic, ''),
      body: Buffer.alloc(MAX_BODY_BYTES, fill),
    }));
    for (const message of stored) await put([message]);
    const consumer = await consume(topic);
    const messages: ReceivedMessage[] = [];
    for (let tries = 0; messages.length < 2 && tries < 10; tries += 1) {
      messages.push(...(await consumer.receive(POP)));
    }
    expectSame(messages, stored);
    expect(messages.map(({ isCorrupted }) => isCorrupted)).toEqual([false, false]);
  });

  it('acknowledges 2,000 messages with eight receivers, none twice, none left', async () => {
    const topic = await createTopic('NORMAL');
    const bodies = Array.from({ length: 2_000 }, (_, index) => `${index}`).sort();
    await put(bodies.map((body) => plain(topic.rocketmqTopic, body)));
    const consumer = await consume(topic);
    const seen: string[] = [];
    const receiver = async () => {
      for (let empty = 0; empty < 2 && seen.length < bodies.length; ) {
        const messages = await consumer.receive({ ...POP, invisibleDurationMs: 60_000 });
        if (messages.length === 0) empty += 1;
        seen.push(...messages.map(({ body }) => `${body}`));
        expect((await consumer.ack(messages)).every(({ status }) => status === 'acked')).toBe(true);
      }
    };
    await Promise.all(Array.from({ length: 8 }, receiver));
    expect(seen.sort()).toEqual(bodies);
  });

  it('receives what an aborted receive may have been handed, after its invisible time', async () => {
    const topic = await createTopic('NORMAL');
    const consumer = await consume(topic);
    const stop = new AbortController();
    const receiving = consumer.receive({ ...POP, awaitMs: 20_000, signal: stop.signal });
    await put(Array.from({ length: 20 }, (_, index) => plain(topic.rocketmqTopic, `${index}`)));
    stop.abort();
    const early = await receiving;
    await consumer.ack(early);
    expect(await drain(consumer, 20 - early.length, 30_000)).toHaveLength(20 - early.length);
  });

  it('unpacks what a producer of the remoting protocol has packed, and keeps the rest of the receive', async () => {
    const topic = await createTopic('NORMAL');
    const body = Buffer.from('packed '.repeat(1_000));
    await sendPacked(topic.rocketmqTopic, deflateSync(body));
    await sendPacked(topic.rocketmqTopic, Buffer.from('no packing at all'));
    await put([plain(topic.rocketmqTopic, 'plain')]);
    const consumer = await consume(topic);
    const messages: ReceivedMessage[] = [];
    for (let tries = 0; messages.length < 3 && tries < 10; tries += 1) {
      messages.push(...(await consumer.receive(POP)));
    }
    const told = messages.map((message) => [`${message.body}`, message.isCorrupted]).sort();
    expect(told).toEqual([
      ['no packing at all', true],
      [`${body}`, false],
      ['plain', false],
    ]);
  });

  it('holds a FIFO topic whose group keeps no order', async () => {
    const { rocketmqTopic } = await createTopic('FIFO');
    const consumer = await consume({ rocketmqTopic, consumerGroup: `unordered_${rocketmqTopic}` });
    await expect(consumer.receive(POP)).rejects.toMatchObject({
      code: 'CONSUMER_GROUP_NOT_ORDERLY',
      reaction: 'hold',
    });
  });

  it('fails at once while the broker is dead, and receives again when it is back', async () => {
    const topic = await createTopic('NORMAL');
    const consumer = await consume(topic);
    await put(['a', 'b'].map((body) => plain(topic.rocketmqTopic, body)));
    const [first] = await consumer.receive({ ...POP, maxMessages: 1 });
    await broker.rocketmq.kill();
    const began = Date.now();
    await expect(consumer.receive(POP)).rejects.toMatchObject({ reaction: 'retry', scope: 'cluster' });
    expect(await consumer.ack(first === undefined ? [] : [first])).toMatchObject([{ status: 'failed' }]);
    expect(Date.now() - began).toBeLessThan(2_000);
    await broker.rocketmq.restart();
    await put([plain(topic.rocketmqTopic, 'c')]);
    expect(await drain(consumer, 3, 45_000, { distinct: true })).toEqual(['a', 'b', 'c']);
  }, 120_000);

  it('keeps its bounds while the broker hangs, and receives again after', async () => {
    const topic = await createTopic('NORMAL');
    const consumer = await consume(topic);
    await consumer.receive({ ...POP, signal: AbortSignal.timeout(500) });
    const { pid } = broker.rocketmq.broker;
    process.kill(pid, 'SIGSTOP');
    try {
      const began = Date.now();
      await expect(consumer.receive(POP)).rejects.toMatchObject({ reaction: 'retry' });
      expect(Date.now() - began).toBeLessThan(15_000);
      const stopped = Date.now();
      expect(await consumer.receive({ ...POP, signal: AbortSignal.timeout(300) })).toEqual([]);
      expect(Date.now() - stopped).toBeLessThan(2_000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await put([plain(topic.rocketmqTopic, 'after')]);
    expect(await drain(consumer, 1, 30_000)).toEqual(['after']);
  }, 120_000);

  it('introduces itself again to a proxy that has forgotten it', async () => {
    const topic = await createTopic('NORMAL');
    const consumer = await consume(topic);
    await put(['a', 'b'].map((body) => plain(topic.rocketmqTopic, body)));
    expect(await consumer.receive({ ...POP, maxMessages: 1 })).toHaveLength(1);
    await makeForgotten(topic);
    expect(await consumer.receive(POP)).toHaveLength(1);
  });

  it('uses a new connection and introduces itself again after a freeze', async () => {
    const topic = await createTopic('NORMAL');
    const relay = await startRelay(broker.rocketmq.ports.grpc);
    open.push(relay);
    const clock = createManualClock(Date.now());
    const { consumers, cluster } = consumersFor(relay.endpoint, clock);
    const consumer = await consumers.open(cluster, { ...topic, filter: ALL });
    await put([plain(topic.rocketmqTopic, 'before')]);
    expect(await consumer.receive(POP)).toHaveLength(1);
    // As after a freeze: the flow is gone, and so is our time.
    relay.swallowEstablished();
    await clock.advance(61_000);
    await put([plain(topic.rocketmqTopic, 'after')]);
    const began = Date.now();
    expect(await consumer.receive(POP)).toMatchObject([{ body: Buffer.from('after') }]);
    expect(Date.now() - began).toBeLessThan(3_000);
    expect(relay.connections).toBe(2);
  });

  it('times out once behind a network that drops a flow without a sign, and then uses a new connection', async () => {
    const topic = await createTopic('NORMAL');
    const relay = await startRelay(broker.rocketmq.ports.grpc);
    open.push(relay);
    const consumer = await consume(topic, relay.endpoint);
    await put([plain(topic.rocketmqTopic, 'before')]);
    expect(await consumer.receive(POP)).toHaveLength(1);
    relay.swallowEstablished();
    await expect(consumer.receive(POP)).rejects.toMatchObject({ reaction: 'retry' });
    await put([plain(topic.rocketmqTopic, 'after')]);
    expect(await drain(consumer, 2, 20_000)).toEqual(['after', 'before']);
  });
});

/** Takes leave of the proxy in the name of the consumer that is connected: its settings are gone, and it does not know. */
async function makeForgotten({
  rocketmqTopic,
  consumerGroup,
}: {
  rocketmqTopic: string;
  consumerGroup: string;
}) {
  // `RequestCode.GET_CONSUMER_CONNECTION_LIST`
  const request = { code: 203, fields: { consumerGroup } };
  const answer = await remotingCall(`127.0.0.1:${broker.rocketmq.ports.broker}`, request);
  const { connectionSet } = JSON.parse(`${answer.body}`) as { connectionSet: { clientId: string }[] };
  const [client] = connectionSet;
  if (client === undefined) throw new Error('no consumer is connected');
  const proxies = createProxies({ tls: false, namespace: '', clock: systemClock });
  const filter = { type: 'tag', expression: '*' } as const;
  const farewell = encodeTermination({ rocketmqTopic, consumerGroup, filter }, '');
  await proxies.unary(broker.rocketmq.endpoint, 'NotifyClientTermination', farewell, {
    deadlineMs: Date.now() + 3_000,
    clientId: client.clientId,
  });
  proxies.close();
}

/** `RequestCode.SEND_MESSAGE_V2` with the flag of a packed body, which gRPC has no way to say. */
async function sendPacked(rocketmqTopic: string, body: Buffer): Promise<void> {
  const flagPacked = 1;
  const fields = {
    ...{ a: 'test', b: rocketmqTopic, c: 'TBW102', d: '4', e: '0', f: `${flagPacked}`, g: `${Date.now()}` },
    ...{ h: '0', i: '', j: '0', k: 'false', m: 'false' },
  };
  const answer = await remotingCall(`127.0.0.1:${broker.rocketmq.ports.broker}`, { code: 310, fields, body });
  expect(answer).toMatchObject({ code: 0 });
}

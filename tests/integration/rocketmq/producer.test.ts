import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createManualClock } from '../../../lib/adapters/memory/clock.ts';
import { RocketmqProducer, type RocketmqProducerOptions } from '../../../lib/adapters/rocketmq/producer.ts';
import { remotingCall } from '../../../lib/adapters/rocketmq-admin/remoting-call.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import type { SendResult } from '../../../lib/ports/message-producer.ts';
import {
  describeMessageProducer,
  errorAt,
  expectSame,
  failures,
  plain,
} from '../../contract/message-producer.ts';
import { eventually } from '../../helpers/eventually.ts';
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

/** `RequestCode.UPDATE_BROKER_CONFIG`. */
async function setMaxMessageSize(bytes: number): Promise<void> {
  const request = { code: 25, body: Buffer.from(`maxMessageSize=${bytes}\n`) };
  expect(await remotingCall(`127.0.0.1:${broker.rocketmq.ports.broker}`, request)).toMatchObject({ code: 0 });
}

function producerFor(options: Partial<RocketmqProducerOptions> = {}): RocketmqProducer {
  const producer = new RocketmqProducer({
    endpoint: broker.rocketmq.endpoint,
    tls: false,
    multiMessage: 'auto',
    clock: systemClock,
    ...options,
  });
  open.push(producer);
  return producer;
}

describeMessageProducer('RocketMQ 5.4.0', async () => {
  const [normalTopic, fifoTopic] = [await broker.createTopic('NORMAL'), await broker.createTopic('FIFO')];
  const producer = producerFor();
  return {
    producer,
    normalTopic,
    fifoTopic,
    readBack: (topic, count) => broker.readBack(topic, count),
    close: () => producer.close(),
  };
});

describe('RocketmqProducer on RocketMQ 5.4.0', () => {
  const sendOne = (producer: RocketmqProducer, topic: string, body: string, withinMs: number) =>
    producer.send(topic, [plain(topic, body)], { deadlineMs: Date.now() + withinMs });
  const isStored = (results: readonly SendResult[]) => failures(results).length === 0;

  it('sends single messages to a NORMAL topic with multiMessage off', async () => {
    const topic = await broker.createTopic('NORMAL');
    const messages = Array.from({ length: 100 }, (_, index) => plain(topic, `${index}`));
    const producer = producerFor({ multiMessage: 'off' });
    expect(failures(await producer.send(topic, messages, { deadlineMs: Date.now() + 10_000 }))).toEqual([]);
    expectSame(await broker.readBack(topic, 100), messages);
  });

  it('holds messages for a DELAY topic', async () => {
    const topic = await broker.createTopic('DELAY');
    const results = await sendOne(producerFor(), topic, 'now', 5_000);
    expect(errorAt(results, 0)).toMatchObject({
      code: 'TOPIC_TYPE_CHANGED',
      reaction: 'hold',
      scope: 'topic',
    });
  });

  it('counts properties when it cuts batches to size', async () => {
    const topic = await broker.createTopic('NORMAL');
    const properties = new Map(Array.from({ length: 100 }, (_, index) => [`p${index}`, 'x'.repeat(140)]));
    const messages = Array.from({ length: 128 }, (_, index) => ({
      ...plain(topic, ''),
      body: Buffer.alloc(18_000, index),
      properties,
    }));
    const results = await producerFor().send(topic, messages, { deadlineMs: Date.now() + 20_000 });
    expect(failures(results)).toEqual([]);
    expectSame(await broker.readBack(topic, messages.length), messages);
  });

  it('halves a batch that a broker with a lower limit refuses, down to the one message it cannot take', async () => {
    const topic = await broker.createTopic('NORMAL');
    const messages = Array.from({ length: 10 }, (_, index) => ({
      ...plain(topic, ''),
      body: Buffer.alloc(index === 6 ? 300_000 : 64_000, index),
    }));
    await setMaxMessageSize(256 * 1024);
    try {
      const results = await producerFor().send(topic, messages, { deadlineMs: Date.now() + 20_000 });
      expect(results.flatMap(({ status }, index) => (status === 'failed' ? [index] : []))).toEqual([6]);
      expect(errorAt(results, 6)).toMatchObject({ reaction: 'dead-letter', code: 'MESSAGE_INVALID' });
      expect(errorAt(results, 6).message).toContain('msg body length limit');
    } finally {
      await setMaxMessageSize(4 * 1024 * 1024);
    }
    const taken = messages.filter((_, index) => index !== 6);
    expectSame(await broker.readBack(topic, taken.length), taken);
  });

  it('fails while the broker is down, and sends again as soon as it is back', async () => {
    const topic = await broker.createTopic('NORMAL');
    const producer = producerFor();
    expect(failures(await sendOne(producer, topic, 'before', 5_000))).toEqual([]);
    await broker.rocketmq.kill();
    const began = Date.now();
    const errors = failures(await sendOne(producer, topic, 'while', 5_000));
    expect(Date.now() - began).toBeLessThan(1_000);
    expect(errors).toMatchObject([{ reaction: 'retry', scope: 'cluster' }]);
    const again = failures(await sendOne(producer, topic, 'while', 5_000));
    expect(again).toMatchObject([{ code: 'TARGET_UNREACHABLE', maybeStored: false }]);
    await broker.rocketmq.restart();
    await eventually(() => sendOne(producer, topic, 'after', 5_000), isStored, {
      timeoutMs: 5_000,
      everyMs: 100,
      what: 'sending after the restart',
    });
    expectSame(await broker.readBack(topic, 2), [plain(topic, 'before'), plain(topic, 'after')]);
  });

  it('keeps its deadline while the broker hangs, and sends again within 5 s after', async () => {
    const topic = await broker.createTopic('NORMAL');
    const producer = producerFor();
    expect(failures(await sendOne(producer, topic, 'before', 5_000))).toEqual([]);
    const { pid } = broker.rocketmq.broker;
    process.kill(pid, 'SIGSTOP');
    try {
      for (const withinMs of [1_000, 500]) {
        const began = Date.now();
        const errors = failures(await sendOne(producer, topic, 'while', withinMs));
        expect(Date.now() - began).toBeLessThan(withinMs + 500);
        expect(errors).toMatchObject([{ reaction: 'retry' }]);
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(() => sendOne(producer, topic, 'after', 1_000), isStored, {
      timeoutMs: 5_000,
      everyMs: 100,
      what: 'sending after SIGCONT',
    });
  });

  describe('behind a network that drops a flow without a sign', () => {
    it('times out once, and then uses a new connection', async () => {
      const topic = await broker.createTopic('NORMAL');
      const relay = await startRelay(broker.rocketmq.ports.grpc);
      open.push(relay);
      const producer = producerFor({ endpoint: relay.endpoint });
      expect(failures(await sendOne(producer, topic, 'before', 5_000))).toEqual([]);
      relay.swallowEstablished();
      const lost = failures(await sendOne(producer, topic, 'lost', 1_000));
      expect(lost).toMatchObject([{ code: 'TARGET_TIMEOUT', reaction: 'retry', maybeStored: true }]);
      expect(failures(await sendOne(producer, topic, 'after', 5_000))).toEqual([]);
      expect(relay.connections).toBe(2);
    });

    it('loses no time after a freeze: a connection unused for more than a minute is not used again', async () => {
      const topic = await broker.createTopic('NORMAL');
      const relay = await startRelay(broker.rocketmq.ports.grpc);
      open.push(relay);
      const clock = createManualClock(Date.now());
      const producer = producerFor({ endpoint: relay.endpoint, clock });
      const send = (body: string) =>
        producer.send(topic, [plain(topic, body)], { deadlineMs: clock.now() + 5_000 });
      expect(failures(await send('before'))).toEqual([]);
      relay.swallowEstablished();
      await clock.advance(61_000);
      const began = Date.now();
      expect(failures(await send('after'))).toEqual([]);
      expect(Date.now() - began).toBeLessThan(1_000);
    });
  });
});

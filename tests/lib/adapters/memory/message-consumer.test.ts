import { describe, expect, it } from '@jest/globals';
import { createManualClock, type ManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryMessageConsumers } from '../../../../lib/adapters/memory/message-consumer.ts';
import type { RocketmqClusterRecord } from '../../../../lib/domain/clusters/cluster.ts';
import {
  type BridgeError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import { describeMessageConsumer } from '../../../contract/message-consumer.ts';
import { plain } from '../../../contract/message-producer.ts';

const CLUSTER: RocketmqClusterRecord = {
  clusterId: 'business',
  kind: 'rocketmq',
  name: 'Business',
  region: 'eu-west-1',
  endpoint: 'rmq.example:8081',
  tls: true,
  multiMessage: 'auto',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};
const POP = { maxMessages: 32, invisibleDurationMs: 10_000, awaitMs: 5_000 };

describeMessageConsumer('in memory', async () => {
  const clock = createManualClock();
  const consumers = createMemoryMessageConsumers({
    clock,
    topics: { normal: { type: 'NORMAL' }, fifo: { type: 'FIFO' } },
    sql92: { 'level > 3': ({ properties }) => Number(properties.get('level')) > 3 },
  });
  return {
    createTopic: async (type) => ({ rocketmqTopic: type.toLowerCase(), consumerGroup: `group_${type}` }),
    open: (subscription) => consumers.open(CLUSTER, subscription),
    put: async (messages) => {
      for (const message of messages) consumers.put(message);
    },
    settle: (promise) => turnUntilSettled(clock, promise),
    elapse: (ms) => clock.advance(ms),
    close: () => consumers.close(),
  };
});

describe('createMemoryMessageConsumers', () => {
  async function start(options: { retryMaxTimes?: number; brokers?: string[] } = {}) {
    const clock = createManualClock();
    const { brokers, ...rest } = options;
    const topics = { t: { type: 'NORMAL', queues: 2, ...(brokers && { brokers }) } as const };
    const consumers = createMemoryMessageConsumers({ clock, topics, ...rest });
    const filter = { type: 'tag', expression: '*' } as const;
    const consumer = await consumers.open(CLUSTER, { rocketmqTopic: 't', consumerGroup: 'g', filter });
    return { clock, consumers, consumer };
  }

  it('wakes a waiting receive when a message is put', async () => {
    const { consumers, consumer, clock } = await start();
    const receiving = consumer.receive(POP);
    await clock.whenSleeping(1);
    const messageId = consumers.put(plain('t', 'a'), { bornTimeMs: 7, isCorrupted: true });
    expect(await receiving).toMatchObject([{ messageId, bornTimeMs: 7, isCorrupted: true }]);
    expect(clock.sleepers).toBe(0);
    expect(consumers.calls).toEqual({ receive: 1, ack: 0, 'change-invisible-duration': 0 });
  });

  it('takes turns over brokers, or asks the one that is named', async () => {
    const { consumers, consumer } = await start({ brokers: ['b0', 'b1'] });
    for (const broker of ['b0', 'b1']) consumers.put(plain('t', broker), { broker });
    const turns = [await consumer.receive(POP), await consumer.receive(POP)].flat();
    expect(turns.map(({ brokerName }) => brokerName).sort()).toEqual(['b0', 'b1']);
    consumers.put(plain('t', 'x'), { broker: 'b1', queueId: 1 });
    expect(await consumer.receive({ ...POP, broker: 'b1' })).toMatchObject([
      { brokerName: 'b1', queueId: 1 },
    ]);
  });

  it('throttles, goes away and comes back as it is told, for receives under way too', async () => {
    const { consumers, consumer, clock } = await start();
    const throttled = new BrokerThrottledError('less', { waitMs: 1_000 });
    consumers.decide(() => throttled);
    await expect(consumer.receive(POP)).rejects.toBe(throttled);
    consumers.decide(() => undefined);
    const receiving = consumer.receive(POP);
    await clock.whenSleeping(1);
    const away = new BrokerUnavailableError('away');
    consumers.decide((call) => (call === 'receive' ? away : undefined));
    await expect(receiving).rejects.toBe(away);
    consumers.decide(() => undefined);
    consumers.put(plain('t', 'a'));
    const messages = await consumer.receive(POP);
    consumers.decide(() => away);
    expect(await consumer.ack(messages)).toEqual([{ status: 'failed', error: away }]);
    expect(await consumer.changeInvisibleDuration(messages, 10_000)).toEqual([false]);
    expect(consumers.unacknowledged('t', 'g')).toHaveLength(1);
  });

  it('gives a cluster up that does not answer, and ends such a receive at once when told to', async () => {
    const { consumers, consumer, clock } = await start();
    consumers.decide(() => new Promise<BridgeError>(() => {}));
    const timedOut = consumer.receive(POP);
    await clock.whenSleeping(1);
    await Promise.all([
      expect(timedOut).rejects.toMatchObject({ code: 'TARGET_TIMEOUT' }),
      clock.advance(5_000),
    ]);
    const stop = new AbortController();
    const receiving = consumer.receive({ ...POP, signal: stop.signal });
    await clock.whenSleeping(1);
    stop.abort();
    expect(await receiving).toEqual([]);
    expect(clock.sleepers).toBe(0);
  });

  it('takes a message away that was delivered too often', async () => {
    const { consumers, consumer, clock } = await start({ retryMaxTimes: 1 });
    consumers.put(plain('t', 'poor'));
    for (const deliveryAttempt of [1, 2]) {
      expect(await consumer.receive(POP)).toMatchObject([{ deliveryAttempt }]);
      await clock.advance(POP.invisibleDurationMs);
    }
    expect(await turnUntilSettled(clock, consumer.receive(POP))).toEqual([]);
    expect(consumers.deadLetters('t', 'g').map(({ body }) => `${body}`)).toEqual(['poor']);
  });
});

async function turnUntilSettled<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const watch = promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let turns = 0; !settled && turns < 100; turns += 1) await clock.advance(1_000);
  await watch;
  return promise;
}

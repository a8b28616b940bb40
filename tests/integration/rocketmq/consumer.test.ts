import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { createMessageConsumers } from '../../../lib/adapters/rocketmq/consumers.ts';
import { RocketmqProducer } from '../../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../../lib/domain/message.ts';
import { describeMessageConsumer } from '../../contract/message-consumer.ts';
import { failures } from '../../contract/message-producer.ts';
import { rocketmqCluster } from '../../helpers/cluster-record.ts';
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

function consumersFor(endpoint = broker.rocketmq.endpoint) {
  const consumers = createMessageConsumers({ secrets: createMemorySecretReader({}), clock: systemClock });
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

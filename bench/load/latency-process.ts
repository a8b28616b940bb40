/** Receives from RocketMQ, and tells how old messages are when they arrive. In a process of its own: nothing else delays it. */

import { createMemorySecretReader } from '../../lib/adapters/memory/secret-reader.ts';
import { createMessageConsumers } from '../../lib/adapters/rocketmq/consumers.ts';
import { systemClock as clock } from '../../lib/adapters/system/clock.ts';
import { rocketmqCluster } from '../ours/records.ts';
import {
  LATENCY_VARIABLE,
  type Latencies,
  type LatencyOptions,
  millisecondsSince,
} from './latency-options.ts';
import { sequenceOf } from './message.ts';

const RECEIVERS = 4;
const INVISIBLE_MS = 60_000;
const AWAIT_MS = 5_000;

const given = JSON.parse(process.env[LATENCY_VARIABLE] ?? '') as LatencyOptions;
const consumers = createMessageConsumers({ secrets: createMemorySecretReader(), clock });
const consumer = await consumers.open(rocketmqCluster(given.rocketmq), {
  rocketmqTopic: given.rocketmqTopic,
  consumerGroup: `latency-${given.rocketmqTopic}`,
  filter: { type: 'tag', expression: '*' },
});
const ages = new Map<number, number>();

async function receiving(): Promise<void> {
  while (ages.size < given.skip + given.messages) {
    const messages = await consumer.receive({
      maxMessages: 32,
      invisibleDurationMs: INVISIBLE_MS,
      awaitMs: AWAIT_MS,
    });
    for (const { body } of messages) {
      const sequence = sequenceOf(body);
      if (!ages.has(sequence)) ages.set(sequence, millisecondsSince(body));
    }
    void consumer.ack(messages);
  }
}

function summary(): Latencies {
  const sorted = [...ages]
    .filter(([sequence]) => sequence >= given.skip)
    .map(([, age]) => age)
    .sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

console.log('latency ready');
await Promise.all(Array.from({ length: RECEIVERS }, receiving));
console.log(`latencies ${JSON.stringify(summary())}`);
await consumers.close();

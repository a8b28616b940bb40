import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { followMessages } from '../helpers/rocketmq-consumer.ts';
import type { Stage } from '../trials/stage.ts';
import { createTally, payloadOf, type Tally } from './tally.ts';

/** One direction: a task, who sends, and what has come. */
export interface Stream {
  name: string;
  taskId: string;
  tally: Tally;
  /** Accepted by the source's broker. */
  sent(): number;
  /** Sends at this rate for so long. */
  run(perSecond: number, ms: number): Promise<void>;
  close(): Promise<void>;
}

const BURST_MS = 20;
/** HiveMQ ends the connection of who has more than 10 unacknowledged. */
const IN_FLIGHT = 10;
const SEND_MS = 20_000;

export async function openSessionStream(stage: Stage, most: number): Promise<Stream> {
  const run = randomUUID().slice(0, 8);
  const rocketmqTopic = await stage.rocketmq.createTopic('NORMAL');
  const taskId = await stage.addTask('session', {
    source: { clusterId: 'factory', topicFilters: [`soak/${run}`] },
    target: { clusterId: 'business', topic: rocketmqTopic },
  });
  const tally = createTally(most);
  const { endpoint } = stage.rocketmq.rocketmq;
  const consumerGroup = await stage.readerGroup(false);
  const followers = await Promise.all(
    // One alone is slower than what comes.
    Array.from({ length: 2 }, () =>
      followMessages({ endpoint, rocketmqTopic, consumerGroup }, ({ body }) => tally.note(body)),
    ),
  );
  const client = await connect(stage);
  let next = 0;
  return {
    ...{ name: 'mqtt → rocketmq', taskId, tally, sent: () => next },
    run: (perSecond, ms) =>
      steadily(perSecond, ms, async (count) => {
        for (let left = count; left > 0; left -= IN_FLIGHT) {
          const numbers = Array.from({ length: Math.min(left, IN_FLIGHT) }, (_, index) => next + index);
          await Promise.all(
            numbers.map((number) => client.publishAsync(`soak/${run}`, payloadOf(number), { qos: 1 })),
          );
          next += numbers.length;
        }
      }),
    async close() {
      await Promise.all([client.endAsync(true), ...followers.map((follower) => follower.close())]);
    },
  };
}

export async function openPullStream(stage: Stage, most: number): Promise<Stream> {
  const run = randomUUID().slice(0, 8);
  const rocketmqTopic = await stage.rocketmq.createTopic('NORMAL');
  const taskId = await stage.addTask('pull', {
    source: { clusterId: 'business', topic: rocketmqTopic, startFrom: 'earliest' },
    target: { clusterId: 'factory', topic: `soaked/${run}` },
  });
  const tally = createTally(most);
  const client = await connect(stage);
  client.on('message', (_topic, payload) => tally.note(payload));
  await client.subscribeAsync(`soaked/${run}`, { qos: 1 });
  const { endpoint } = stage.rocketmq.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  let next = 0;
  return {
    ...{ name: 'rocketmq → mqtt', taskId, tally, sent: () => next },
    run: (perSecond, ms) =>
      steadily(perSecond, ms, async (count) => {
        const messages = Array.from({ length: count }, (_, index) => ({
          ...{
            rocketmqTopic,
            body: payloadOf(next + index),
            keys: [],
            properties: new Map<string, string>(),
          },
        }));
        const results = await producer.send(rocketmqTopic, messages, { deadlineMs: Date.now() + SEND_MS });
        const failed = results.find(({ status }) => status === 'failed');
        if (failed !== undefined) throw new Error(`not sent: ${JSON.stringify(failed)}`);
        next += count;
      }),
    async close() {
      await Promise.all([client.endAsync(true), producer.close()]);
    },
  };
}

async function connect(stage: Stage): Promise<MqttClient> {
  const { url, username, password } = stage.mqtt;
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
  client.on('error', () => undefined);
  (client.stream as Socket).setNoDelay(true);
  return client;
}

async function steadily(
  perSecond: number,
  ms: number,
  send: (count: number) => Promise<void>,
): Promise<void> {
  const beganMs = Date.now();
  let done = 0;
  for (let passedMs = 0; passedMs < ms; passedMs = Date.now() - beganMs) {
    const due = Math.min(perSecond, Math.floor((passedMs * perSecond) / 1_000) - done);
    if (due > 0) {
      await send(due);
      done += due;
    }
    await delay(BURST_MS);
  }
}

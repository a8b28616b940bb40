import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import { ensureGroup } from '../../local/rocketmq-topics.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  createWitness,
  differences,
  disordered,
  type NumberedMessage,
  numberedMessages,
} from '../helpers/numbered-messages.ts';
import { plantedProperty } from '../helpers/planted.ts';
import type { ReadMessage } from '../helpers/stack-under-test.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

/** Of each pair. Ten thousand, by the environment, take some minutes more. */
const COUNT = Number(process.env.MQFERRY_E2E_MESSAGES ?? 2_000);
/** AWS IoT takes 100 unacknowledged messages of a connection, HiveMQ 10 unless told otherwise. */
const IN_FLIGHT = { iot: 100, factory: 10 };
const SEND_BATCH = 500;
const TIMEOUT_MS = 240_000;

let fixture: TaskFixture;
let factory: MqttClient;
beforeAll(async () => {
  fixture = await openTaskFixture();
  factory = await connectFactory();
});
afterAll(async () => {
  await factory.endAsync(true);
  await fixture.close();
});

describe('thousands of messages of each pair', () => {
  it(
    'arrive from AWS IoT in RocketMQ, by topic rules',
    async () => {
      const { stack } = fixture;
      const topic = await stack.createTopic('NORMAL');
      const run = `r${randomUUID().slice(0, 8)}`;
      await fixture.runningTask([`pairs/${run}/+/+`], topic, {
        target: { clusterId: stack.clusters.rocketmq, topic, tag: '${topic[3]}', keys: ['${topic[4]}'] },
      });
      const device = await fixture.device();
      const sent = numberedMessages(COUNT);
      await publishAll(device, IN_FLIGHT.iot, sent, ({ line, number }) => ({
        topic: `pairs/${run}/${line}/${number}`,
      }));

      const { witness, messages } = await readAll(topic, `g_${run}`, COUNT, ({ keys, tag }) => [
        Number(keys[0]),
        tag,
      ]);
      expect(differences(sent, witness)).toEqual({ lost: [], changed: [] });
      for (const { properties, keys, tag } of messages) {
        expect(properties).toMatchObject({
          mqtt_topic: `pairs/${run}/${tag}/${keys[0]}`,
          mqtt_client_id: device.options.clientId,
        });
      }
    },
    TIMEOUT_MS,
  );

  it(
    'arrive from another broker in RocketMQ, by a session, in order, with all their properties',
    async () => {
      const { stack } = fixture;
      const topic = await stack.createTopic('FIFO');
      const run = `s${randomUUID().slice(0, 8)}`;
      await fixture.runningTask([], topic, {
        source: { clusterId: stack.clusters.mqtt, topicFilters: [`pairs/${run}/+`] },
        target: { clusterId: stack.clusters.rocketmq, topic, tag: '${topic[3]}', keys: ['${prop.n}'] },
        options: { ordering: 'topic' },
      });
      const sent = numberedMessages(COUNT);
      await publishAll(factory, IN_FLIGHT.factory, sent, ({ line, number }) => ({
        topic: `pairs/${run}/${line}`,
        properties: {
          userProperties: { n: `${number}`, same: ['first', 'second'], 'odd name': plantedProperty('ü €') },
          contentType: 'application/octet-stream',
          responseTopic: `answers/${run}`,
          correlationData: Buffer.from([0, 255, number % 256]),
          messageExpiryInterval: 3_600,
        },
      }));

      const group = `g_${run}`;
      await ensureGroup(stack.rocketmq, { group, orderly: true });
      const { witness, messages } = await readAll(topic, group, COUNT, ({ keys, tag }) => [
        Number(keys[0]),
        tag,
      ]);
      expect(differences(sent, witness)).toEqual({ lost: [], changed: [] });
      expect(disordered(witness)).toEqual([]);
      for (const { properties, keys, tag } of messages) {
        expect(properties).toMatchObject({
          n: keys[0],
          mqtt_topic: `pairs/${run}/${tag}`,
          mqtt_qos: '1',
          mqtt_retain: 'false',
          mqtt_content_type: 'application/octet-stream',
          mqtt_response_topic: `answers/${run}`,
          mqtt_correlation_data: Buffer.from([0, 255, Number(keys[0]) % 256]).toString('base64'),
        });
        const placed = JSON.parse(properties.mqtt_up ?? '[]') as unknown[];
        expect(placed).toEqual(
          expect.arrayContaining([
            ['same', 'second'],
            ['odd name', plantedProperty('ü €')],
          ]),
        );
        expect(Number(properties.mqtt_expiry)).toBeGreaterThan(3_000);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'arrive from RocketMQ on AWS IoT',
    async () => {
      const { stack } = fixture;
      const topic = await stack.createTopic('NORMAL');
      const run = `i${randomUUID().slice(0, 8)}`;
      await pullTask(topic, stack.clusters.iot, `pairs/${run}/\${tag}/\${key}`);
      const device = await fixture.device();
      const arrivals = await subscribe(device, `pairs/${run}/#`, ({ topic: name }) => {
        const [, , line = '', number] = name.split('/');
        return [Number(number), line];
      });
      const sent = numberedMessages(COUNT).map(neverEmpty);
      await sendAll(topic, sent, ({ line, number }) => ({ tag: line, keys: [`${number}`] }));
      await arrivals.all(COUNT);
      expect(differences(sent, arrivals.witness)).toEqual({ lost: [], changed: [] });
    },
    TIMEOUT_MS,
  );

  it(
    'arrive from RocketMQ on another broker, in order, with all their properties',
    async () => {
      const { stack } = fixture;
      const topic = await stack.createTopic('FIFO');
      const run = `m${randomUUID().slice(0, 8)}`;
      await pullTask(topic, stack.clusters.mqtt, `pairs/${run}/\${key}`);
      const properties: unknown[] = [];
      const arrivals = await subscribe(factory, `pairs/${run}/#`, (packet) => {
        const { userProperties } = packet.properties ?? {};
        properties.push(userProperties);
        return [Number(userProperties?.n), packet.topic.split('/')[2] ?? ''];
      });
      const sent = numberedMessages(COUNT).map(neverEmpty);
      await sendAll(topic, sent, ({ line, number }) => ({
        tag: 'command',
        keys: [line],
        messageGroup: line,
        properties: new Map([
          ['n', `${number}`],
          ['who', plantedProperty('back office')],
        ]),
      }));
      await arrivals.all(COUNT);
      expect(differences(sent, arrivals.witness)).toEqual({ lost: [], changed: [] });
      expect(disordered(arrivals.witness)).toEqual([]);
      for (const own of properties) {
        expect(own).toMatchObject({
          who: plantedProperty('back office'),
          rmq_tag: 'command',
          mqferry_path: expect.anything(),
        });
      }
    },
    TIMEOUT_MS,
  );
});

async function connectFactory(): Promise<MqttClient> {
  const { url, username, password } = fixture.stack.mqtt;
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
  client.on('error', () => undefined);
  return client;
}

async function pullTask(rocketmqTopic: string, clusterId: string, topic: string): Promise<string> {
  return fixture.runningTask([], rocketmqTopic, {
    source: { clusterId: fixture.stack.clusters.rocketmq, topic: rocketmqTopic },
    target: { clusterId, topic },
  });
}

/** Publishes with QoS 1, so many side by side; resolves when the broker has acknowledged all, fails when it hangs up. */
async function publishAll(
  client: MqttClient,
  inFlight: number,
  messages: readonly NumberedMessage[],
  packetOf: (message: NumberedMessage) => Pick<IPublishPacket, 'topic' | 'properties'>,
): Promise<void> {
  const { promise: closed, reject } = Promise.withResolvers<never>();
  const hangUp = () => reject(new Error('the broker closed the connection'));
  client.once('close', hangUp);
  for (let from = 0; from < messages.length; from += inFlight) {
    const some = messages.slice(from, from + inFlight).map((message) => {
      const { topic, properties } = packetOf(message);
      return client.publishAsync(topic, message.payload, { qos: 1, ...(properties && { properties }) });
    });
    await Promise.race([Promise.all(some), closed]);
  }
  client.off('close', hangUp);
}

async function sendAll(
  rocketmqTopic: string,
  messages: readonly NumberedMessage[],
  more: (message: NumberedMessage) => Partial<RocketmqMessage>,
): Promise<void> {
  const producer = new RocketmqProducer({
    endpoint: fixture.stack.rocketmq.endpoint,
    tls: false,
    multiMessage: 'auto',
    clock: systemClock,
  });
  for (let from = 0; from < messages.length; from += SEND_BATCH) {
    const batch = messages.slice(from, from + SEND_BATCH).map((message) => ({
      rocketmqTopic,
      body: message.payload,
      keys: [],
      properties: new Map<string, string>(),
      ...more(message),
    }));
    const results = await producer.send(rocketmqTopic, batch, { deadlineMs: Date.now() + 20_000 });
    const failed = results.find(({ status }) => status === 'failed');
    if (failed !== undefined) throw new Error(`not sent: ${JSON.stringify(failed)}`);
  }
  await producer.close();
}

/** Reads what a task has stored; empty bodies travel as a filler that its property names. */
async function readAll(
  topic: string,
  group: string,
  count: number,
  identify: (message: ReadMessage) => [number: number, line: string | undefined],
) {
  const messages = await fixture.stack.consume(topic, group, count, TIMEOUT_MS / 2);
  const witness = createWitness();
  for (const message of messages) {
    const [number, line = ''] = identify(message);
    witness.note(number, line, message.properties.mqtt_empty === '1' ? Buffer.alloc(0) : message.body);
  }
  return { witness, messages };
}

async function subscribe(
  client: MqttClient,
  topicFilter: string,
  identify: (packet: IPublishPacket) => [number: number, line: string],
) {
  const witness = createWitness();
  client.on('message', (topic, payload, packet) => {
    if (topic.startsWith(topicFilter.slice(0, -1))) witness.note(...identify(packet), payload);
  });
  await client.subscribeAsync(topicFilter, { qos: 1 });
  return {
    witness,
    all: (count: number) =>
      eventually(
        async () => witness.hashes.size,
        (size) => size >= count,
        { timeoutMs: TIMEOUT_MS / 2, what: `${count} messages arrive on ${topicFilter}` },
      ),
  };
}

/** RocketMQ itself refuses empty bodies. */
function neverEmpty(message: NumberedMessage): NumberedMessage {
  return message.payload.length === 0 ? { ...message, payload: Buffer.of(0) } : message;
}

import type { Socket } from 'node:net';
import path from 'node:path';
import mqtt, { type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { mqttClientOptions } from '../../../lib/adapters/mqtt/client-options.ts';
import { errorOfReason } from '../../../lib/adapters/mqtt/errors.ts';
import { createMqttSessions } from '../../../lib/adapters/mqtt/session.ts';
import type { MqttMessage } from '../../../lib/domain/messages/message.ts';
import type { MqttClusterRecord } from '../../../lib/ports/mqtt-publisher.ts';
import { LOCAL_DIR } from '../../../local/layout.ts';
import { findMosquitto } from '../../../local/mosquitto-packages.ts';
import { startMosquitto } from '../../../local/parts/mosquitto.ts';
import { startMqttBroker } from '../../../local/parts/mqtt-broker.ts';

/** A broker of this suite's own. */
export interface TestBroker {
  cluster: Extract<MqttClusterRecord, { kind: 'mqtt' }>;
  username: string;
  password: string;
  /** A client that publishes, MQTT 5. */
  publisher: MqttClient;
  stop(): Promise<void>;
}

/** A kind of broker that is there. */
export interface BrokerKind {
  name: 'HiveMQ' | 'Mosquitto';
  start(suite: string, changes?: { maxQueueSize?: number; maxInflight?: number }): Promise<TestBroker>;
}

/** Those that this machine has. What is missing is said by name: its cases are not run, and the others are. */
export async function availableBrokers(): Promise<BrokerKind[]> {
  const hivemq: BrokerKind = {
    name: 'HiveMQ',
    start: async (suite, changes) =>
      await asTestBroker(await startMqttBroker({ home: homeOf(suite), ...changes })),
  };
  const program = await findMosquitto();
  if ('missing' in program) {
    process.stderr.write(`NOT RUN: every case on Mosquitto: ${program.missing}\n`);
    return [hivemq];
  }
  const mosquitto: BrokerKind = {
    name: 'Mosquitto',
    start: async (suite, { maxQueueSize = 0 } = {}) =>
      await asTestBroker(
        await startMosquitto({
          program,
          home: homeOf(suite),
          maxQueuedMessages: maxQueueSize,
          // It has Nagle's algorithm on, and whoever publishes waits 40 ms for every 20 messages.
          configuration: ['set_tcp_nodelay true'],
        }),
      ),
  };
  return [hivemq, mosquitto];
}

export function clusterOf(url: string): TestBroker['cluster'] {
  return {
    kind: 'mqtt',
    name: 'Broker of a test',
    region: 'eu-west-1',
    url,
    clusterId: 'test',
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
}

/** Sessions of one user. `only`: as if the broker spoke no other version. */
export function sessionsAs(secret: { username?: string; password?: string; ca?: string }, only?: 4) {
  return createMqttSessions({
    clock: Date,
    addressOf: async (cluster, { clientId, protocolVersion }) => {
      if (cluster.kind !== 'mqtt') throw new Error('this suite knows MQTT brokers only');
      if (only !== undefined && only !== protocolVersion) throw errorOfReason('connack', 1);
      return mqttClientOptions(cluster, secret, { clientId, protocolVersion });
    },
  });
}

/**
 * In order, QoS 1 unless a message says otherwise; resolves when the broker has taken all of them. MQTT.js does not heed how
 * many a broker takes at once, and HiveMQ, which takes 10, ends the connection of who sends more.
 */
export async function publishAll(
  client: MqttClient,
  messages: readonly (Pick<MqttMessage, 'topicName' | 'payload'> & Partial<MqttMessage>)[],
): Promise<void> {
  const atOnce = client.serverProperties?.receiveMaximum ?? 1_000;
  for (let at = 0; at < messages.length; at += atOnce) {
    await Promise.all(
      messages
        .slice(at, at + atOnce)
        .map((message) => client.publishAsync(message.topicName, message.payload, optionsOf(message))),
    );
  }
}

async function asTestBroker(broker: {
  url: string;
  username: string;
  password: string;
  process: { stop(): Promise<void> };
}): Promise<TestBroker> {
  const { url, username, password } = broker;
  const options: IClientOptions = { username, password, protocolVersion: 5, reconnectPeriod: 0 };
  const publisher = await mqtt.connectAsync(url, options);
  // Publishing a window at a time, it would wait 40 ms for each.
  (publisher.stream as Socket).setNoDelay(true);
  return {
    cluster: clusterOf(url),
    username,
    password,
    publisher,
    async stop() {
      await publisher.endAsync(true);
      await broker.process.stop();
    },
  };
}

function optionsOf(message: Partial<MqttMessage>): IClientPublishOptions {
  const { contentType, responseTopic, correlationData, payloadFormat, expirySeconds } = message;
  const byName = Map.groupBy(message.userProperties ?? [], ([name]) => name);
  const userProperties = Object.fromEntries(
    [...byName].map(([name, pairs]) => [name, pairs.map(([, value]) => value)]),
  );
  return {
    qos: message.qos ?? 1,
    retain: message.retain ?? false,
    properties: {
      ...(byName.size === 0 ? {} : { userProperties }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData }),
      ...(payloadFormat === undefined ? {} : { payloadFormatIndicator: payloadFormat === 1 }),
      ...(expirySeconds === undefined ? {} : { messageExpiryInterval: expirySeconds }),
    },
  };
}

function homeOf(suite: string): string {
  return path.join(LOCAL_DIR, 'integration', suite);
}

import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { BenchBroker } from '../stage/stage.ts';
import { bodyOf, USER_PROPERTIES } from './message.ts';

/** A day: longer than any run. */
const SESSION_EXPIRY_SECONDS = 86_400;
/** Brokers take so many unacknowledged messages at least as they are set up here. */
const IN_FLIGHT = 500;
const PUBLISHERS = 16;

/** Makes a persistent session that has subscribed and is offline. */
export async function makeSession(broker: BenchBroker, clientId: string, topicFilter: string): Promise<void> {
  const client = await connectTo(broker, {
    clientId,
    clean: false,
    properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS },
  });
  await client.subscribeAsync(topicFilter, { qos: 1, properties: { subscriptionIdentifier: 1 } });
  await client.endAsync();
}

/** Publishes messages of QoS 1 with three user properties; resolves when the broker has acknowledged all. */
export async function publishAll(broker: BenchBroker, topicPrefix: string, count: number): Promise<void> {
  const client = await connectTo(broker, { clientId: 'bench-load', clean: true });
  const options = { qos: 1 as const, properties: { userProperties: Object.fromEntries(USER_PROPERTIES) } };
  let next = 0;
  const publisher = async () => {
    for (let sequence = next++; sequence < count; sequence = next++) {
      const topic = `${topicPrefix}/${sequence % PUBLISHERS}/status`;
      await client.publishAsync(topic, bodyOf(sequence), options);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, publisher));
  await client.endAsync();
}

/** A connection of MQTT 5 without Nagle's delay. */
export async function connectTo(broker: BenchBroker, options: IClientOptions): Promise<MqttClient> {
  const { url, username, password } = broker;
  const client = connect(url, {
    username,
    password,
    protocolVersion: 5,
    reconnectPeriod: 0,
    manualConnect: true,
    ...options,
  });
  // Whatever goes wrong also fails the call under way, or shows in the count.
  client.on('error', () => undefined);
  const connected = Promise.withResolvers<void>();
  client.once('connect', () => {
    (client.stream as Partial<{ setNoDelay(on: boolean): void }>).setNoDelay?.(true);
    connected.resolve();
  });
  client.once('error', connected.reject);
  client.connect();
  await connected.promise;
  return client;
}

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { followMessages } from '../helpers/rocketmq-consumer.ts';
import { type Arrivals, createArrivals } from '../trials/streams.ts';
import type { PublishRelay } from './publish-relay.ts';
import type { FaultStage } from './stage.ts';

type Ends = FaultStage['ends'];

/** How late an arrival may be seen. What readers cost, those who are looked at have to do without. */
const REST_MS = 100;

/** Arrivals with what their reader went through itself. */
export interface ReadArrivals extends Arrivals {
  /** How often it had to connect again. */
  reconnects(): number;
}

/** Opens a client that connects again by itself. */
export type Connect = (options?: IClientOptions) => Promise<MqttClient>;

export function connecter({ url, ...common }: IClientOptions & { url: string }): Connect {
  return async (options = {}) => {
    const client = await mqtt.connectAsync(url, {
      protocolVersion: 5,
      reconnectPeriod: 200,
      connectTimeout: 10_000,
      // The broker may ask for another password for a while.
      reconnectOnConnackError: true,
      ...common,
      ...options,
    });
    // It connects again by itself.
    client.on('error', () => undefined);
    const undelayed = () => (client.stream as Partial<Socket>).setNoDelay?.(true);
    undelayed();
    client.on('connect', undelayed);
    return client;
  };
}

export const mqttOptions = ({ mqtt: { url, username, password } }: Ends) => ({ url, username, password });
export const iotOptions = ({ iot: { url, headers } }: Ends) => ({ url, wsOptions: { headers } });

/**
 * Reads what comes as `faults/<run>/<line>/<number>`, in a session that outlives an outage of the broker.
 *
 * @param isTarget - what its broker itself gives again (DUP [MQTT-3.3.1-3]) was published once: it is no duplicate of the task's
 */
export async function arrivalsByMqtt(
  connect: Connect,
  topicFilter: string,
  { isTarget = false }: { isTarget?: boolean } = {},
): Promise<ReadArrivals> {
  const client = await connect({
    clientId: `reader-${randomUUID()}`,
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
  });
  const { arrivals, note } = createArrivals(`on ${topicFilter}`, () => client.endAsync(true));
  client.on('message', (topic, payload, { dup }) => {
    const [, , line = '', number] = topic.split('/');
    if (isTarget && dup && arrivals.witness.hashes.has(Number(number))) return;
    note(Number(number), line, payload);
  });
  await client.subscribeAsync(topicFilter, { qos: 1 });
  let reconnects = 0;
  client.on('connect', () => {
    reconnects += 1;
    // A broker may have kept the session and not what was subscribed in it.
    client.subscribe(topicFilter, { qos: 1 });
  });
  return { ...arrivals, reconnects: () => reconnects };
}

/**
 * Looks at the way to AWS IoT what it has accepted as `faults/<run>/<line>/<number>`: the emulator's own subscribers are no witnesses, since
 * it gives again without DUP, and keeps the last 1,000 only of one that connects again.
 */
export function arrivalsAtIot(relay: PublishRelay, run: string): ReadArrivals {
  const { arrivals, note } = createArrivals(`at AWS IoT, of ${run}`, async () => stop());
  const stop = relay.onAccepted((topicName, payload) => {
    const [, of, line = '', number] = topicName.split('/');
    if (of === run) note(Number(number), line, payload);
  });
  return { ...arrivals, reconnects: () => 0 };
}

/** Reads what has its line as tag and its number as key. */
export async function arrivalsByRocketmq(
  stage: FaultStage,
  rocketmqTopic: string,
  isOrderly: boolean,
): Promise<ReadArrivals> {
  const consumerGroup = await stage.readerGroup(isOrderly);
  const { endpoint } = stage.ends.rocketmq;
  const { arrivals, note } = createArrivals(`in ${rocketmqTopic}`, () => follower.close());
  const follower = await followMessages(
    { endpoint, rocketmqTopic, consumerGroup, restMs: REST_MS },
    ({ properties, body, keys, tag = '' }, bornAtMs) => {
      const payload = properties.get('mqtt_empty') === '1' ? Buffer.alloc(0) : body;
      note(Number(keys[0]), tag, payload, bornAtMs);
    },
  );
  // Its client asks anew by itself, and loses nothing by it.
  return { ...arrivals, reconnects: () => 0 };
}

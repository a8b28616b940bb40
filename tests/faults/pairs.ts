import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../lib/domain/message.ts';
import type { NumberedMessage } from '../helpers/numbered-messages.ts';
import { followMessages } from '../helpers/rocketmq-consumer.ts';
import { type Arrivals, createArrivals } from '../trials/streams.ts';
import { CLUSTERS, type FaultStage } from './stage.ts';
import { createSteadySource, type SteadySource } from './steady-source.ts';

export type PairPath = 'rule' | 'session' | 'pull';

/** One task with what feeds it, a reader of its own at the source, and one at the target. */
export interface Pair {
  name: PairName;
  path: PairPath;
  taskId: string;
  /** Order is asked for; without it, it is a figure. */
  isOrdered: boolean;
  rocketmqTopic: string;
  /** Absent: the rule path reads with none. */
  consumerGroup?: string;
  source: SteadySource;
  /** What the source gives to another reader with a session or group of its own. */
  control: Arrivals;
  arrivals: Arrivals;
  close(): Promise<void>;
}

export const PAIR_NAMES = [
  'aws-iot → rocketmq',
  'mqtt → rocketmq',
  'rocketmq → mqtt',
  'rocketmq → aws-iot',
] as const;
export type PairName = (typeof PAIR_NAMES)[number];

/** HiveMQ ends the connection of who has more than 10 unacknowledged; the emulator's AWS IoT is one process with all else. */
const IN_FLIGHT = { mqtt: 10, iot: 20 };
const SEND_BATCH = 100;
const SEND_MS = 20_000;
const PUBLISHED_MS = 60_000;

type Ends = FaultStage['ends'];

/** The four pairs, each with a running task. */
export async function openPairs(stage: FaultStage, perSecond: number): Promise<Pair[]> {
  const open = [openRulePair, openSessionPair, openPullPair, openPullToIotPair];
  return Promise.all(open.map((openPair) => openPair(stage, perSecond)));
}

async function openRulePair(stage: FaultStage, perSecond: number): Promise<Pair> {
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage, 'NORMAL');
  const taskId = await stage.runningTask({
    taskName: `rule-${run}`,
    source: { clusterId: CLUSTERS.iot, topicFilters: [`faults/${run}/+/+`] },
    target: target(rocketmqTopic),
    // The emulator makes a process of each.
    options: { concurrency: 2 },
  });
  const connectIot = connecter(iotOptions(stage.ends));
  return {
    ...{ name: 'aws-iot → rocketmq', path: 'rule', taskId, isOrdered: false, rocketmqTopic },
    ...(await closable({
      control: await arrivalsByMqtt(connectIot, `faults/${run}/#`),
      arrivals: await arrivalsByRocketmq(stage, rocketmqTopic, false),
      source: await mqttSource(connectIot, run, perSecond, IN_FLIGHT.iot),
    })),
  };
}

async function openSessionPair(stage: FaultStage, perSecond: number): Promise<Pair> {
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage, 'FIFO');
  const taskId = await stage.runningTask({
    taskName: `session-${run}`,
    source: { clusterId: CLUSTERS.mqtt, topicFilters: [`faults/${run}/+/+`] },
    target: { ...target(rocketmqTopic), messageGroup: '${topic[3]}' },
    options: { ordering: 'topic' },
  });
  const connectMqtt = connecter(mqttOptions(stage.ends));
  return {
    ...{ name: 'mqtt → rocketmq', path: 'session', taskId, isOrdered: true, rocketmqTopic },
    ...(await closable({
      control: await arrivalsByMqtt(connectMqtt, `faults/${run}/#`),
      arrivals: await arrivalsByRocketmq(stage, rocketmqTopic, true),
      source: await mqttSource(connectMqtt, run, perSecond, IN_FLIGHT.mqtt),
    })),
  };
}

async function openPullPair(stage: FaultStage, perSecond: number): Promise<Pair> {
  return openPull(stage, perSecond, {
    name: 'rocketmq → mqtt',
    clusterId: CLUSTERS.mqtt,
    isOrdered: true,
    connectTarget: connecter(mqttOptions(stage.ends)),
  });
}

async function openPullToIotPair(stage: FaultStage, perSecond: number): Promise<Pair> {
  return openPull(stage, perSecond, {
    name: 'rocketmq → aws-iot',
    clusterId: CLUSTERS.iot,
    isOrdered: false,
    connectTarget: connecter(iotOptions(stage.ends)),
  });
}

async function openPull(
  stage: FaultStage,
  perSecond: number,
  options: { name: PairName; clusterId: string; isOrdered: boolean; connectTarget: Connect },
): Promise<Pair> {
  const { name, clusterId, isOrdered, connectTarget } = options;
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage, isOrdered ? 'FIFO' : 'NORMAL');
  const arrivals = await arrivalsByMqtt(connectTarget, `faults/${run}/#`);
  const taskId = await stage.runningTask({
    taskName: `pull-${run}`,
    source: { clusterId: CLUSTERS.rocketmq, topic: rocketmqTopic, startFrom: 'earliest' },
    target: { clusterId, topic: `faults/${run}/\${tag}/\${key}` },
  });
  return {
    ...{ name, path: 'pull', taskId, isOrdered, rocketmqTopic, consumerGroup: `mqferry_${taskId}` },
    ...(await closable({
      control: await arrivalsByRocketmq(stage, rocketmqTopic, isOrdered),
      arrivals,
      source: rocketmqSource(stage.ends, rocketmqTopic, perSecond, isOrdered),
    })),
  };
}

const runName = () => `r${randomUUID().slice(0, 8)}`;

const target = (topic: string) => ({
  clusterId: CLUSTERS.rocketmq,
  topic,
  tag: '${topic[3]}',
  keys: ['${topic[4]}'],
});

async function registeredTopic(stage: FaultStage, type: 'NORMAL' | 'FIFO'): Promise<string> {
  const topic = await stage.createTopic(type);
  await stage.api('PUT', `/clusters/${CLUSTERS.rocketmq}/topics/${topic}`, { body: { type } });
  return topic;
}

async function closable(parts: Pick<Pair, 'source' | 'control' | 'arrivals'>) {
  const { source, control, arrivals } = parts;
  return {
    ...parts,
    async close() {
      await Promise.all([source.close(), control.close(), arrivals.close()]);
    },
  };
}

type Connect = (options?: IClientOptions) => Promise<MqttClient>;

function connecter({ url, ...common }: IClientOptions & { url: string }): Connect {
  return async (options = {}) => {
    const client = await mqtt.connectAsync(url, {
      protocolVersion: 5,
      reconnectPeriod: 200,
      connectTimeout: 10_000,
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

const mqttOptions = ({ mqtt: { url, username, password } }: Ends) => ({ url, username, password });
const iotOptions = ({ iot: { url, headers } }: Ends) => ({ url, wsOptions: { headers } });

/** Reads what comes as `faults/<run>/<line>/<number>`, in a session that outlives an outage of the broker. */
async function arrivalsByMqtt(connect: Connect, topicFilter: string): Promise<Arrivals> {
  const client = await connect({
    clientId: `reader-${randomUUID()}`,
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
  });
  const { arrivals, note } = createArrivals(`on ${topicFilter}`, () => client.endAsync(true));
  client.on('message', (topic, payload) => {
    const [, , line = '', number] = topic.split('/');
    note(Number(number), line, payload);
  });
  await client.subscribeAsync(topicFilter, { qos: 1 });
  return arrivals;
}

/** Reads what has its line as tag and its number as key. */
async function arrivalsByRocketmq(
  stage: FaultStage,
  rocketmqTopic: string,
  isOrderly: boolean,
): Promise<Arrivals> {
  const consumerGroup = await stage.readerGroup(isOrderly);
  const { endpoint } = stage.ends.rocketmq;
  const { arrivals, note } = createArrivals(`in ${rocketmqTopic}`, () => follower.close());
  const follower = await followMessages(
    { endpoint, rocketmqTopic, consumerGroup },
    ({ properties, body, keys, tag = '' }, bornAtMs) => {
      const payload = properties.get('mqtt_empty') === '1' ? Buffer.alloc(0) : body;
      note(Number(keys[0]), tag, payload, bornAtMs);
    },
  );
  return arrivals;
}

async function mqttSource(
  connect: Connect,
  run: string,
  perSecond: number,
  atMost: number,
): Promise<SteadySource> {
  const client = await connect({ clientId: `source-${randomUUID()}` });
  const publish = async ({ line, number, payload }: NumberedMessage) => {
    const packet: Pick<IPublishPacket, 'topic'> = { topic: `faults/${run}/${line}/${number}` };
    // What the broker has not acknowledged is sent again by the client when it has connected again.
    await inTime(client.publishAsync(packet.topic, payload, { qos: 1 }));
  };
  return createSteadySource({
    perSecond,
    atMost,
    async send(messages) {
      await Promise.all(messages.map(publish));
    },
    close: () => client.endAsync(true),
  });
}

function rocketmqSource(
  { rocketmq: { endpoint } }: Ends,
  rocketmqTopic: string,
  perSecond: number,
  isOrdered: boolean,
): SteadySource {
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  const messageOf = ({ line, number, payload }: NumberedMessage): RocketmqMessage => ({
    rocketmqTopic,
    body: payload,
    tag: line,
    keys: [`${number}`],
    properties: new Map(),
    ...(isOrdered ? { messageGroup: line } : {}),
  });
  return createSteadySource({
    perSecond,
    atMost: SEND_BATCH,
    isNeverEmpty: true,
    async send(messages) {
      const deadlineMs = Date.now() + SEND_MS;
      const results = await producer.send(rocketmqTopic, messages.map(messageOf), { deadlineMs });
      const failed = results.find(({ status }) => status === 'failed');
      if (failed !== undefined) throw new Error(`not sent: ${JSON.stringify(failed)}`);
    },
    close: () => producer.close(),
  });
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('not published in time')), PUBLISHED_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import mqtt, { type IClientOptions } from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { PairPath } from '../faults/pairs.ts';
import { CLUSTERS, type FaultStage } from '../faults/stage.ts';
import { createExactSource, type ExactMessage, type ExactSource } from './source.ts';
import { type Witness, witnessOnMqtt, witnessOnRocketmq } from './witness.ts';

/** A task of one path with its source, and who reads what it has carried. */
export interface ExactPath {
  path: PairPath;
  taskId: string;
  /** It writes to this one, or reads it: no other task does. */
  rocketmqTopic: string;
  source: ExactSource;
  witness?: Witness;
  close(): Promise<void>;
}

/** HiveMQ ends the connection of who has more than 10 unacknowledged. */
const IN_FLIGHT = { mqtt: 10, iot: 50 };
const SEND_BATCH = 500;
const SEND_MS = 20_000;
const LINES = 16;

type Open = (stage: FaultStage, isWitnessed: boolean) => Promise<ExactPath>;

const OPEN: Readonly<Record<PairPath, Open>> = { rule: openRule, session: openSession, pull: openPull };

/** A running task of the path. */
export async function openPath(
  path: PairPath,
  stage: FaultStage,
  { isWitnessed }: { isWitnessed: boolean },
): Promise<ExactPath> {
  return OPEN[path](stage, isWitnessed);
}

async function openRule(stage: FaultStage, isWitnessed: boolean): Promise<ExactPath> {
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage);
  const taskId = await stage.runningTask({
    taskName: `rule-${run}`,
    source: { clusterId: CLUSTERS.iot, topicFilters: [`exact/${run}/+`] },
    target: { clusterId: CLUSTERS.rocketmq, topic: rocketmqTopic, keys: ['${payload.key}'] },
    // The emulator makes a process of each.
    options: { concurrency: 2 },
  });
  const { url, headers } = stage.ends.iot;
  return withEnds(
    'rule',
    { taskId, rocketmqTopic },
    {
      source: await mqttSource({ url, wsOptions: { headers } }, run, IN_FLIGHT.iot),
      ...(isWitnessed && { witness: await onRocketmq(stage, rocketmqTopic, 'mqferry_source_time') }),
    },
  );
}

async function openSession(stage: FaultStage, isWitnessed: boolean): Promise<ExactPath> {
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage);
  const taskId = await stage.runningTask({
    taskName: `session-${run}`,
    source: { clusterId: CLUSTERS.mqtt, topicFilters: [`exact/${run}/+`] },
    target: { clusterId: CLUSTERS.rocketmq, topic: rocketmqTopic, keys: ['${payload.key}'] },
  });
  const { url, username, password } = stage.ends.mqtt;
  return withEnds(
    'session',
    { taskId, rocketmqTopic },
    {
      source: await mqttSource({ url, username, password }, run, IN_FLIGHT.mqtt),
      ...(isWitnessed && { witness: await onRocketmq(stage, rocketmqTopic, 'mqferry_receipt_time') }),
    },
  );
}

async function openPull(stage: FaultStage, isWitnessed: boolean): Promise<ExactPath> {
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage);
  const witness = isWitnessed ? await witnessOnMqtt(stage.ends.mqtt, `exact/${run}`) : undefined;
  const taskId = await stage.runningTask({
    taskName: `pull-${run}`,
    source: { clusterId: CLUSTERS.rocketmq, topic: rocketmqTopic, startFrom: 'earliest' },
    target: { clusterId: CLUSTERS.mqtt, topic: `exact/${run}/\${payload.key}` },
  });
  return withEnds(
    'pull',
    { taskId, rocketmqTopic },
    {
      source: rocketmqSource(stage, rocketmqTopic),
      ...(witness && { witness }),
    },
  );
}

const runName = () => `e${randomUUID().slice(0, 8)}`;

function withEnds(
  path: PairPath,
  task: Pick<ExactPath, 'taskId' | 'rocketmqTopic'>,
  { source, witness }: Pick<ExactPath, 'source' | 'witness'>,
): ExactPath {
  return {
    ...{ path, ...task, source },
    ...(witness && { witness }),
    async close() {
      await Promise.all([source.close(), witness?.close()]);
    },
  };
}

async function registeredTopic(stage: FaultStage): Promise<string> {
  const topic = await stage.createTopic('NORMAL');
  await stage.api('PUT', `/clusters/${CLUSTERS.rocketmq}/topics/${topic}`, { body: { type: 'NORMAL' } });
  return topic;
}

async function onRocketmq(stage: FaultStage, rocketmqTopic: string, sinceProperty: string): Promise<Witness> {
  const consumerGroup = await stage.readerGroup(false);
  const { nameServer } = stage.ends.rocketmq;
  return witnessOnRocketmq({ nameServer, rocketmqTopic, consumerGroup, sinceProperty });
}

async function mqttSource(
  { url, ...options }: IClientOptions & { url: string },
  run: string,
  atMost: number,
): Promise<ExactSource> {
  const client = await mqtt.connectAsync(url, {
    ...{ protocolVersion: 5, reconnectPeriod: 0, clientId: `source-${randomUUID()}` },
    ...options,
  });
  // A window at a time, it would wait 40 ms for each.
  (client.stream as Partial<Socket>).setNoDelay?.(true);
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => undefined);
  client.on('error', () => undefined);
  client.once('close', () => closed.reject(new Error('the broker has closed the connection of the source')));
  const publish = ({ number, payload }: ExactMessage) =>
    client.publishAsync(`exact/${run}/line${number % LINES}`, payload, { qos: 1 });
  return createExactSource({
    atMost,
    async send(messages) {
      await Promise.race([Promise.all(messages.map(publish)), closed.promise]);
    },
    close: () => client.endAsync(true),
  });
}

function rocketmqSource({ ends }: FaultStage, rocketmqTopic: string): ExactSource {
  const { endpoint } = ends.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  return createExactSource({
    atMost: SEND_BATCH,
    async send(messages) {
      const batch = messages.map(({ payload }) => ({
        ...{ rocketmqTopic, body: payload, keys: [] },
        properties: new Map<string, string>(),
      }));
      const results = await producer.send(rocketmqTopic, batch, { deadlineMs: Date.now() + SEND_MS });
      const failed = results.find(({ status }) => status === 'failed');
      if (failed !== undefined) throw new Error(`not sent: ${JSON.stringify(failed)}`);
    },
    close: () => producer.close(),
  });
}

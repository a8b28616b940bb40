import type { PartProcess } from '../../local/process.ts';
import { ensureGroup } from '../../local/rocketmq-topics.ts';
import { subscribeCounting } from '../load/counting-subscriber.ts';
import { fillTopic } from '../load/fill-topic.ts';
import { MessagesMissing, measureDrain } from '../measure/drain.ts';
import type { Measurement } from '../measure/measurement.ts';
import { ratioRows, runRounds } from '../measure/rounds.ts';
import type { Row } from '../measure/row.ts';
import { startLane } from '../ours/start-lane.ts';
import { startCamel } from '../peer/start-camel.ts';
import { type BenchBroker, type Stage, withStage } from '../stage/stage.ts';
import type { BenchOptions } from './options.ts';

const BARS = { rate: 1.1, cpu: 0.7 };
const QUEUES = 8;

/** Messages stored in a topic of RocketMQ to MQTT with QoS 1, on Mosquitto beside Camel. Each run has a topic of its own. */
export async function benchPull(options: BenchOptions): Promise<Row[]> {
  return await withStage('pull', async (stage) => {
    const broker = await stage.startMqtt('mosquitto');
    const done = await runRounds(options, {
      camel: (topic, messages) => pullByCamel(stage, { broker, topic, messages }),
      ours: (topic, messages) => pullByLane(stage, { broker, topic, messages }),
    });
    return ratioRows('pull path', done, BARS);
  });
}

export interface Pull {
  broker: BenchBroker;
  /** RocketMQ's; first part of the MQTT topic too. */
  topic: string;
  messages: number;
  /** A FIFO topic with so many message groups. */
  groups?: number;
}

async function pullByCamel(stage: Stage, pull: Pull): Promise<Measurement> {
  const { topic, broker } = pull;
  const { nameServer } = stage.rocketmq;
  await store(stage, pull);
  const group = `camel-of-${topic}`;
  await ensureGroup({ nameServer }, { group });
  const route = { path: 'pull' as const, nameServer, rocketmqTopic: topic, broker };
  return await pulled(pull, { name: 'Apache Camel', isPeer: true }, (mqttTopic) =>
    startCamel(`${stage.home}/${topic}`, { ...route, mqttTopic, clientId: topic, consumerGroup: group }),
  );
}

export async function pullByLane(stage: Stage, pull: Pull): Promise<Measurement> {
  const { topic, broker } = pull;
  await store(stage, pull);
  const lane = { path: 'pull' as const, rocketmq: stage.rocketmq, rocketmqTopic: topic, broker };
  return await pulled(pull, { name: 'mqferry', isPeer: false }, (mqttTopic) =>
    startLane(`${stage.home}/${topic}`, { ...lane, mqttTopic }),
  );
}

async function store(stage: Stage, { topic, messages, groups }: Pull): Promise<void> {
  const type = groups === undefined ? 'NORMAL' : 'FIFO';
  await stage.ensureTopic({ topic, queues: QUEUES, type });
  const { endpoint } = stage.rocketmq;
  await fillTopic({ endpoint, topic, count: messages, ...(groups === undefined ? {} : { groups }) });
}

async function pulled(
  { broker, topic, messages }: Pull,
  { name, isPeer }: { name: string; isPeer: boolean },
  start: (mqttTopic: string) => Promise<PartProcess>,
): Promise<Measurement> {
  const mqttTopic = `${topic}/status`;
  const subscriber = await subscribeCounting(broker, { topicFilter: mqttTopic, count: messages });
  const process = await start(mqttTopic);
  try {
    const arrived = () => subscriber.distinct;
    const measured = await measureDrain({ name, process, total: messages, arrived, isPeer });
    const { received } = subscriber;
    const repeated = received - subscriber.distinct;
    if (repeated > 0 && !isPeer) throw new MessagesMissing(`${name}: ${repeated} came twice`);
    console.log(`  with user properties: ${subscriber.withProperties} of ${messages}`);
    return repeated > 0 ? { ...measured, repeated } : measured;
  } finally {
    await process.stop();
    subscriber.close();
  }
}

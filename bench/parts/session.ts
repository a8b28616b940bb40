import { createStoredCounter } from '../load/count-stored.ts';
import { makeSession, publishAll } from '../load/fill-session.ts';
import { measureDrain } from '../measure/drain.ts';
import { describeMeasurement, type Measurement } from '../measure/measurement.ts';
import { ratioRows, runRounds } from '../measure/rounds.ts';
import type { Row } from '../measure/row.ts';
import { OUR_CLIENT_ID } from '../ours/lane-options.ts';
import { startLane } from '../ours/start-lane.ts';
import { startCamel } from '../peer/start-camel.ts';
import { type BenchBroker, type Stage, withStage } from '../stage/stage.ts';
import type { BenchOptions } from './options.ts';

const BARS = { rate: 1.8, cpu: 0.5 };
const QUEUES = 8;

/** Messages queued in a persistent session to RocketMQ, on Mosquitto beside Camel; then on HiveMQ alone. */
export async function benchSession(options: BenchOptions): Promise<Row[]> {
  return await withStage('session', async (stage) => {
    const mosquitto = await stage.startMqtt('mosquitto');
    const done = await runRounds(options, {
      camel: (topic, messages) => drainByCamel(stage, { broker: mosquitto, topic, messages }),
      ours: (topic, messages) => drainByLane(stage, { broker: mosquitto, topic, messages }),
    });
    const hivemq = await stage.startMqtt('hivemq');
    const beside = await drainByLane(stage, {
      broker: hivemq,
      topic: 'ours-hivemq',
      messages: options.messages,
    });
    console.log(describeMeasurement('mqferry, HiveMQ', beside));
    return [
      ...ratioRows('session path', done, BARS),
      { what: 'session path, rate on HiveMQ', seen: beside.perSecond, unit: 'msg/s' },
    ];
  });
}

interface Drain {
  broker: BenchBroker;
  /** RocketMQ's; first part of the MQTT topics too. */
  topic: string;
  messages: number;
}

async function drainByCamel(stage: Stage, { broker, topic, messages }: Drain): Promise<Measurement> {
  const mqttTopic = await queue(stage, { broker, topic, messages, clientId: topic });
  const { nameServer } = stage.rocketmq;
  const process = await startCamel(`${stage.home}/${topic}`, {
    path: 'session',
    clientId: topic,
    nameServer,
    rocketmqTopic: topic,
    broker,
    mqttTopic,
  });
  return await drained(stage, { name: 'Apache Camel', process, topic, messages, isPeer: true });
}

async function drainByLane(stage: Stage, { broker, topic, messages }: Drain): Promise<Measurement> {
  const mqttTopic = await queue(stage, { broker, topic, messages, clientId: OUR_CLIENT_ID });
  const process = await startLane(`${stage.home}/${topic}`, {
    path: 'session',
    rocketmq: stage.rocketmq,
    rocketmqTopic: topic,
    broker,
    mqttTopic,
  });
  return await drained(stage, { name: 'mqferry', process, topic, messages });
}

/** Fills a session for a client that is offline. Answers its filter. */
async function queue(stage: Stage, options: Drain & { clientId: string }): Promise<string> {
  const { broker, topic, messages, clientId } = options;
  const topicFilter = `${topic}/#`;
  await stage.ensureTopic({ topic, queues: QUEUES });
  await makeSession(broker, clientId, topicFilter);
  await publishAll(broker, topic, messages);
  return topicFilter;
}

async function drained(
  stage: Stage,
  options: {
    name: string;
    process: Awaited<ReturnType<typeof startLane>>;
    topic: string;
    messages: number;
    isPeer?: boolean;
  },
): Promise<Measurement> {
  const { name, process, topic, messages, isPeer = false } = options;
  try {
    const arrived = await createStoredCounter(stage.rocketmq.nameServer, topic);
    return await measureDrain({ name, process, total: messages, arrived, isPeer });
  } finally {
    await process.stop();
  }
}

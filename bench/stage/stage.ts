import { rm } from 'node:fs/promises';
import path from 'node:path';
import { LOCAL_DIR } from '../../local/layout.ts';
import { findMosquitto } from '../../local/mosquitto-packages.ts';
import { startMosquitto } from '../../local/parts/mosquitto.ts';
import { startMqttBroker } from '../../local/parts/mqtt-broker.ts';
import { startRocketmq } from '../../local/parts/rocketmq.ts';
import { ensureTopic, type TopicSpec } from '../../local/rocketmq-topics.ts';
import { RECEIVE_MAXIMUM } from './receive-maximum.ts';

export interface BenchBroker {
  url: string;
  username: string;
  password: string;
}

/** The real parts that one bench runs on, and a folder for what it writes. */
export interface Stage {
  /** Under `.local`; removed in the end. */
  home: string;
  rocketmq: { endpoint: string; nameServer: string };
  ensureTopic(spec: TopicSpec): Promise<void>;
  /** A broker for the rest of the stage's life, set up so that it drops nothing and holds nobody up. */
  startMqtt(kind: MqttBrokerKind): Promise<BenchBroker>;
}

export type MqttBrokerKind = 'mosquitto' | 'hivemq';

const HIVEMQ_QUEUE_SIZE = 1_000_000;
// By default the broker refuses what has waited for 200 ms, which Camel's single sends do where processors are few.
const PATIENT_BROKER = { waitTimeMillsInSendQueue: 5_000 };
const MOSQUITTO_SETTINGS = [`max_inflight_messages ${RECEIVE_MAXIMUM}`, 'set_tcp_nodelay true'];

/** Starts RocketMQ, and ends everything whatever becomes of `work`. */
export async function withStage<T>(name: string, work: (stage: Stage) => Promise<T>): Promise<T> {
  const home = path.join(LOCAL_DIR, 'bench', name);
  await rm(home, { recursive: true, force: true });
  const stops: (() => Promise<void>)[] = [];
  try {
    const rocketmq = await startRocketmq({
      home: path.join(home, 'rocketmq'),
      brokerSettings: PATIENT_BROKER,
    });
    stops.push(() => rocketmq.stop());
    const { endpoint, nameServer } = rocketmq;
    return await work({
      home,
      rocketmq: { endpoint, nameServer },
      ensureTopic: (spec) => ensureTopic({ nameServer }, spec),
      async startMqtt(kind) {
        const start = kind === 'mosquitto' ? startQueueingMosquitto : startQueueingHivemq;
        const broker = await start(path.join(home, kind));
        stops.push(() => broker.process.stop());
        return broker;
      },
    });
  } finally {
    for (const stop of stops.reverse()) await stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function startQueueingMosquitto(home: string) {
  const program = await findMosquitto();
  if ('missing' in program) throw new Error(program.missing);
  return await startMosquitto({ program, home, maxQueuedMessages: 0, configuration: MOSQUITTO_SETTINGS });
}

async function startQueueingHivemq(home: string) {
  return await startMqttBroker({
    home,
    maxQueueSize: HIVEMQ_QUEUE_SIZE,
    maxInflight: RECEIVE_MAXIMUM,
    receiveMaximum: RECEIVE_MAXIMUM,
  });
}

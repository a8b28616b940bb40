import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureJavaClasses } from '../../local/downloads.ts';
import { DOWNLOADS, LOCAL_DIR } from '../../local/layout.ts';
import { type PartProcess, spawnPart } from '../../local/process.ts';
import { connectTo, makeSession } from '../load/fill-session.ts';
import { type Latencies, stampSent } from '../load/latency.ts';
import { bodyOf, USER_PROPERTIES } from '../load/message.ts';
import type { Row } from '../measure/row.ts';
import { OUR_CLIENT_ID } from '../ours/lane-options.ts';
import { startLane } from '../ours/start-lane.ts';
import { startCamel } from '../peer/start-camel.ts';
import { type BenchBroker, type Stage, withStage } from '../stage/stage.ts';
import type { BenchOptions } from './options.ts';

const BARS = { p50: 5, p99: 50 };
const PER_SECOND = 1_000;
/** Half a minute; the half before, in which broker and consumer are compiled as they run, is not measured. */
const MAX_MESSAGES = 30_000;
const WARM_UP_MESSAGES = 30_000;
const READY_TIMEOUT_MS = 60_000;
/** Until the last message must have arrived, after the last was published. */
const ARRIVAL_TIMEOUT_MS = 60_000;

/** From publish to a RocketMQ consumer, at 1,000 messages a second through Mosquitto; Camel's figures beside. */
export async function benchLatency({ messages }: BenchOptions): Promise<Row[]> {
  return await withStage('latency', async (stage) => {
    const broker = await stage.startMqtt('mosquitto');
    const count = Math.min(messages, MAX_MESSAGES);
    const { nameServer } = stage.rocketmq;
    const camel = await latencies(stage, {
      ...{ broker, topic: 'camel', count, clientId: 'camel' },
      start: (mqttTopic) =>
        startCamel(path.join(stage.home, 'camel'), {
          ...{ path: 'session', clientId: 'camel', nameServer, rocketmqTopic: 'camel', broker, mqttTopic },
        }),
    });
    const ours = await latencies(stage, {
      ...{ broker, topic: 'ours', count, clientId: OUR_CLIENT_ID },
      start: (mqttTopic) =>
        startLane(path.join(stage.home, 'ours'), {
          ...{ path: 'session', rocketmq: stage.rocketmq, rocketmqTopic: 'ours', broker, mqttTopic },
        }),
    });
    return (['p50', 'p99'] as const).map((share) => ({
      what: `session path, publish to consumer, ${share}`,
      bar: { bound: 'at most', value: BARS[share] },
      seen: ours[share],
      unit: 'ms',
      note: `Camel ${camel[share].toFixed(1)} ms`,
    }));
  });
}

interface LatencyRun {
  broker: BenchBroker;
  /** RocketMQ's; first part of the MQTT topics too. */
  topic: string;
  count: number;
  clientId: string;
  start: (mqttTopic: string) => Promise<PartProcess>;
}

async function latencies(stage: Stage, run: LatencyRun): Promise<Latencies> {
  const { broker, topic, count, clientId, start } = run;
  const mqttTopic = `${topic}/#`;
  await stage.ensureTopic({ topic, queues: 8 });
  await makeSession(broker, clientId, mqttTopic);
  const { nameServer } = stage.rocketmq;
  const home = path.join(stage.home, `${topic}-consumer`);
  const consumer = await startConsumer(home, { topic, nameServer }, { skip: WARM_UP_MESSAGES, count });
  const bridge = await start(mqttTopic);
  try {
    await publishEvenly(broker, topic, WARM_UP_MESSAGES + count);
    const line = /^latencies (.*)$/m;
    await consumer.ready(line, { timeoutMs: ARRIVAL_TIMEOUT_MS });
    const found = JSON.parse(line.exec(await readFile(consumer.logFile, 'utf8'))?.[1] ?? '') as Latencies;
    console.log(
      `${topic}: ${Object.entries(found)
        .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`)
        .join(', ')}`,
    );
    return found;
  } finally {
    await Promise.all([bridge.stop(), consumer.kill()]);
  }
}

/** RocketMQ's classic Java client, as most consumers are: one by POP takes as much of the broker's processor as all else here. */
async function startConsumer(
  home: string,
  { topic, nameServer }: { topic: string; nameServer: string },
  counts: { skip: number; count: number },
): Promise<PartProcess> {
  await mkdir(home, { recursive: true });
  const classes = path.join(LOCAL_DIR, 'bench-lib', 'latency');
  const source = path.resolve(import.meta.dirname, '..', 'load', 'LatencyConsumer.java');
  await ensureJavaClasses({ what: 'the consumer', target: classes, source, jars: DOWNLOADS.rocketmq });
  const consumer = await spawnPart({
    name: 'the consumer',
    command: 'java',
    args: [
      ...['-Xmx128m', '-XX:+UseSerialGC', `-Duser.home=${home}`, '-Drocketmq.client.logUseSlf4j=true'],
      ...['-cp', [classes, path.join(DOWNLOADS.rocketmq, '*')].join(path.delimiter)],
      ...['LatencyConsumer', nameServer, topic, `latency-${topic}`, `${counts.skip}`, `${counts.count}`],
    ],
    home,
    env: process.env,
    logFile: path.join(home, 'consumer.log'),
  });
  await consumer.ready(/^latency ready$/m, { timeoutMs: READY_TIMEOUT_MS });
  return consumer;
}

/** Sends what is due each millisecond or so. */
async function publishEvenly(broker: BenchBroker, topic: string, count: number): Promise<void> {
  const client = await connectTo(broker, { clientId: 'bench-publisher', clean: true });
  const properties = { userProperties: Object.fromEntries(USER_PROPERTIES) };
  const accepted: Promise<unknown>[] = [];
  const beganAtMs = performance.now();
  for (let sequence = 0; sequence < count; await delay(1)) {
    const due = Math.min(count, ((performance.now() - beganAtMs) / 1_000) * PER_SECOND);
    for (; sequence < due; sequence += 1) {
      const body = stampSent(bodyOf(sequence));
      accepted.push(client.publishAsync(`${topic}/status`, body, { qos: 1, properties }));
    }
  }
  await Promise.all(accepted);
  await client.endAsync();
}

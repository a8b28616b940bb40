import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCamel } from '../../bench/peer/start-camel.ts';
import { LOCAL_DIR } from '../../local/layout.ts';
import { startAws } from '../../local/parts/aws.ts';
import { eventually } from '../helpers/eventually.ts';
import { sha256 } from '../helpers/numbered-messages.ts';
import { followMessages } from '../helpers/rocketmq-consumer.ts';
import { startOverflowDrain } from '../trials/drain-overflow.ts';
import { openStage, type Stage } from '../trials/stage.ts';
import { mqttSource, type Source } from '../trials/streams.ts';
import { startWorker } from '../trials/workers.ts';
import {
  OUTAGE_MESSAGES,
  OUTAGE_MS,
  OUTAGE_PER_SECOND,
  type OutageResult,
} from './eighteen-seconds-figures.ts';

const BEFORE_MS = 2_000;
/** HiveMQ's own, and Mosquitto's: what no carrier may lean on. */
const QUEUE_SIZE = 1_000;
const ALL_THERE_MS = 120_000;
/** RocketMQ's own clients ask for a new route each 30 s. */
const QUIET_MS = 45_000;
const READY_MS = 120_000;
const PROBE_MS = 500;

/** Carries what is published to `in/<run>/#` into a RocketMQ topic; the answer ends it. */
type StartCarrier = (stage: Stage, run: string, rocketmqTopic: string) => Promise<() => Promise<void>>;

interface Carrier {
  who: string;
  isPeer: boolean;
  start: StartCarrier;
}

const CARRIERS: readonly Carrier[] = [
  { who: 'mqferry, session path', isPeer: false, start: startOurs },
  {
    who: 'Apache Camel 4.16, told to retry for ever and to acknowledge by hand',
    isPeer: true,
    start: (...to) => startPeer(true, ...to),
  },
  { who: 'Apache Camel 4.16 as it is', isPeer: true, start: (...to) => startPeer(false, ...to) },
];

/**
 * All carriers side by side, each with messages of its own, through one outage: RocketMQ is killed and started again 18 s later
 * while 2,246 messages come at 100 a second, into sessions of which the broker keeps 1,000.
 */
export async function eighteenSeconds(): Promise<OutageResult[]> {
  const aws = await startAws({ home: path.join(LOCAL_DIR, 'test', 'eighteen-seconds-aws') });
  process.env.AWS_ENDPOINT_URL = aws.endpoint;
  try {
    const stage = await openStage({ maxQueueSize: QUEUE_SIZE });
    const lines: Line[] = [];
    try {
      // One after the other: each new start takes the processors for itself.
      for (const carrier of CARRIERS) lines.push(await openLine(stage, carrier));
      await outage(stage, lines);
      return await Promise.all(lines.map((line) => line.result()));
    } finally {
      await Promise.all(lines.map((line) => line.close()));
      await stage.close();
    }
  } finally {
    await aws.process.stop();
  }
}

/** One carrier with what feeds it and what sees its messages arrive. */
interface Line {
  /** Publishes its messages. */
  run(): Promise<void>;
  result(): Promise<OutageResult>;
  close(): Promise<void>;
}

async function openLine(stage: Stage, { who, isPeer, start }: Carrier): Promise<Line> {
  const run = randomUUID().slice(0, 8);
  const rocketmqTopic = await stage.rocketmq.createTopic('NORMAL');
  const arrivals = await countArrivals(stage, rocketmqTopic);
  const source = await mqttSource(stage, run, OUTAGE_PER_SECOND);
  const end = await start(stage, run, rocketmqTopic);
  async function close(): Promise<void> {
    await end();
    await Promise.all([source.close(), arrivals.close()]);
  }
  try {
    await untilCarried(source, arrivals);
  } catch (error) {
    await close();
    throw error;
  }
  const before = source.sent.length;
  return {
    close,
    async run() {
      await source.run((OUTAGE_MESSAGES / OUTAGE_PER_SECOND) * 1_000);
      // What the last moment was too short for.
      await source.burst(OUTAGE_MESSAGES - (source.sent.length - before));
    },
    async result() {
      const sent = source.sent.slice(before).map(({ payload }) => sha256(payload));
      await arrivals.untilAll(sent);
      const lost = sent.filter((hash) => !arrivals.hashes.has(hash)).length;
      return {
        ...{ who, isPeer, sent: sent.length, arrived: sent.length - lost, lost },
        duplicates: arrivals.duplicates(sent),
      };
    },
  };
}

async function outage({ rocketmq: { rocketmq } }: Stage, lines: readonly Line[]): Promise<void> {
  const publishing = Promise.all(lines.map((line) => line.run()));
  await delay(BEFORE_MS);
  await rocketmq.kill();
  await delay(OUTAGE_MS);
  await rocketmq.restart();
  await publishing;
}

/** A carrier that is still on its way gets nothing of what comes before it has subscribed: none of that counts. */
async function untilCarried(
  source: Source,
  arrivals: { hashes: ReadonlyMap<string, number> },
): Promise<void> {
  await eventually(
    async () => {
      await source.burst(1);
      return arrivals.hashes.size;
    },
    (carried) => carried > 0,
    { timeoutMs: READY_MS, everyMs: PROBE_MS, what: 'the first message is carried' },
  );
}

/** By their payloads: the peer carries neither topic nor properties. */
async function countArrivals(stage: Stage, rocketmqTopic: string) {
  const hashes = new Map<string, number>();
  const { endpoint } = stage.rocketmq.rocketmq;
  const consumerGroup = await stage.readerGroup(false);
  const follower = await followMessages({ endpoint, rocketmqTopic, consumerGroup }, ({ body }) => {
    const hash = sha256(body);
    hashes.set(hash, (hashes.get(hash) ?? 0) + 1);
  });
  return {
    hashes,
    close: () => follower.close(),
    /** Resolves at the latest when time is up, or nothing more comes: then some are lost. */
    async untilAll(sent: readonly string[]): Promise<void> {
      let seen = -1;
      let quietSinceMs = Date.now();
      await eventually(
        async () => {
          if (hashes.size > seen) quietSinceMs = Date.now();
          seen = hashes.size;
          return sent.every((hash) => hashes.has(hash)) || Date.now() - quietSinceMs > QUIET_MS;
        },
        Boolean,
        { timeoutMs: ALL_THERE_MS, what: 'all arrive' },
      ).catch(() => false);
    },
    duplicates(sent: readonly string[]): number {
      const times = Map.groupBy(sent, (hash) => hash);
      return [...times].reduce(
        (sum, [hash, same]) => sum + Math.max(0, (hashes.get(hash) ?? 0) - same.length),
        0,
      );
    },
  };
}

async function startOurs(stage: Stage, run: string, rocketmqTopic: string): Promise<() => Promise<void>> {
  const taskId = await stage.addTask('session', {
    source: { clusterId: 'factory', topicFilters: [`in/${run}/#`] },
    target: { clusterId: 'business', topic: rocketmqTopic },
    options: { via: 'session' },
  });
  const worker = await startWorker(stage.environment(), { kind: 'session', tickMs: 200 });
  const drain = startOverflowDrain(stage, taskId);
  await stage.statusIs(taskId, 'running');
  return async () => {
    await drain.close();
    await worker.stop();
  };
}

async function startPeer(
  isCareful: boolean,
  stage: Stage,
  run: string,
  rocketmqTopic: string,
): Promise<() => Promise<void>> {
  const camel = await startCamel(path.join(LOCAL_DIR, 'test', `camel-${run}`), {
    path: 'session',
    nameServer: stage.rocketmq.rocketmq.nameServer,
    rocketmqTopic,
    broker: stage.mqtt,
    clientId: `camel-${run}`,
    mqttTopic: `in/${run}/#`,
    isCareful,
  });
  return () => camel.stop();
}

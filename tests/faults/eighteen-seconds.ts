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
import { mqttSource } from '../trials/streams.ts';
import { startWorker } from '../trials/workers.ts';

/** Who carried the messages, and how many came. */
export interface OutageResult {
  who: string;
  sent: number;
  arrived: number;
  lost: number;
  duplicates: number;
}

const MESSAGES = 2_246;
const PER_SECOND = 100;
const BEFORE_MS = 2_000;
const OUTAGE_MS = 18_000;
/** HiveMQ's own, and Mosquitto's: what neither carrier may lean on. */
const QUEUE_SIZE = 1_000;
const ALL_THERE_MS = 90_000;
const READY_MS = 60_000;

/** Carries what is published to `in/<run>/#` into a RocketMQ topic; the answer ends it. */
type StartCarrier = (stage: Stage, run: string, rocketmqTopic: string) => Promise<() => Promise<void>>;

/**
 * The outage in which others were seen to lose messages that their source had told the publisher were safe: RocketMQ is killed
 * and started again 18 s later while 2,246 messages come at 100 a second, into a session of which the broker keeps 1,000.
 */
export async function eighteenSeconds(): Promise<OutageResult[]> {
  const aws = await startAws({ home: path.join(LOCAL_DIR, 'test', 'eighteen-seconds-aws') });
  process.env.AWS_ENDPOINT_URL = aws.endpoint;
  try {
    return [
      await onStage('mqferry, session path', startOurs),
      await onStage('Apache Camel 4.16, told to retry for ever and to acknowledge by hand', (...to) =>
        startPeer(true, ...to),
      ),
      await onStage('Apache Camel 4.16 as it is', (...to) => startPeer(false, ...to)),
    ];
  } finally {
    await aws.process.stop();
  }
}

async function onStage(who: string, start: StartCarrier): Promise<OutageResult> {
  const stage = await openStage({ maxQueueSize: QUEUE_SIZE });
  try {
    return await outage(stage, who, start);
  } finally {
    await stage.close();
  }
}

async function outage(stage: Stage, who: string, start: StartCarrier): Promise<OutageResult> {
  const run = randomUUID().slice(0, 8);
  const rocketmqTopic = await stage.rocketmq.createTopic('NORMAL');
  const arrivals = await countArrivals(stage, rocketmqTopic);
  const source = await mqttSource(stage, run, PER_SECOND);
  const end = await start(stage, run, rocketmqTopic);
  try {
    // The first is empty, which the peer cannot carry: it is not counted.
    await source.burst(2);
    await arrivals.until(1, READY_MS);
    const beganMs = Date.now();
    const publishing = source.run((MESSAGES / PER_SECOND) * 1_000);
    await delay(BEFORE_MS);
    await stage.rocketmq.rocketmq.kill();
    await delay(OUTAGE_MS);
    await stage.rocketmq.rocketmq.restart();
    await publishing;
    if (Date.now() - beganMs < OUTAGE_MS) throw new Error('the outage was too short');
    const sent = source.sent.slice(1).map(({ payload }) => sha256(payload));
    await arrivals.untilAll(sent, ALL_THERE_MS);
    const lost = sent.filter((hash) => !arrivals.hashes.has(hash)).length;
    return {
      ...{ who, sent: sent.length, arrived: sent.length - lost, lost },
      duplicates: arrivals.duplicates(sent),
    };
  } finally {
    await end();
    await Promise.all([source.close(), arrivals.close()]);
  }
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
  const wait = (isDone: () => boolean, timeoutMs: number, what: string) =>
    eventually(async () => isDone(), Boolean, { timeoutMs, what });
  return {
    hashes,
    close: () => follower.close(),
    until: (count: number, timeoutMs: number) =>
      wait(() => hashes.size >= count, timeoutMs, `${count} arrive`),
    /** Resolves at the latest when time is up: then some are lost. */
    async untilAll(sent: readonly string[], timeoutMs: number): Promise<void> {
      await wait(() => sent.every((hash) => hashes.has(hash)), timeoutMs, 'all arrive').catch(() => false);
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

const startOurs: StartCarrier = async (stage, run, rocketmqTopic) => {
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
};

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

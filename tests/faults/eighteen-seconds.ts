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

/** Who carried the messages, and how many came. */
export interface OutageResult {
  who: string;
  isPeer: boolean;
  sent: number;
  arrived: number;
  lost: number;
  duplicates: number;
}

/** What peers lose is told; what we lose is a promise missed. */
export const isOurLoss = ({ isPeer, lost }: OutageResult): boolean => !isPeer && lost > 0;

const MESSAGES = 2_246;
const PER_SECOND = 100;
const BEFORE_MS = 2_000;
const OUTAGE_MS = 18_000;
/** HiveMQ's own, and Mosquitto's: what neither carrier may lean on. */
const QUEUE_SIZE = 1_000;
const ALL_THERE_MS = 90_000;
const READY_MS = 60_000;
const PROBE_MS = 500;

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
      await onStage('mqferry, session path', false, startOurs),
      await onStage('Apache Camel 4.16, told to retry for ever and to acknowledge by hand', true, (...to) =>
        startPeer(true, ...to),
      ),
      await onStage('Apache Camel 4.16 as it is', true, (...to) => startPeer(false, ...to)),
    ];
  } finally {
    await aws.process.stop();
  }
}

async function onStage(who: string, isPeer: boolean, start: StartCarrier): Promise<OutageResult> {
  const stage = await openStage({ maxQueueSize: QUEUE_SIZE });
  try {
    return { who, isPeer, ...(await outage(stage, start)) };
  } finally {
    await stage.close();
  }
}

async function outage(stage: Stage, start: StartCarrier): Promise<Omit<OutageResult, 'who' | 'isPeer'>> {
  const run = randomUUID().slice(0, 8);
  const rocketmqTopic = await stage.rocketmq.createTopic('NORMAL');
  const arrivals = await countArrivals(stage, rocketmqTopic);
  const source = await mqttSource(stage, run, PER_SECOND);
  const end = await start(stage, run, rocketmqTopic);
  try {
    await untilCarried(source, arrivals);
    const before = source.sent.length;
    const beganMs = Date.now();
    const publishing = source.run((MESSAGES / PER_SECOND) * 1_000);
    await delay(BEFORE_MS);
    await stage.rocketmq.rocketmq.kill();
    await delay(OUTAGE_MS);
    await stage.rocketmq.rocketmq.restart();
    await publishing;
    if (Date.now() - beganMs < OUTAGE_MS) throw new Error('the outage was too short');
    const sent = source.sent.slice(before).map(({ payload }) => sha256(payload));
    await arrivals.untilAll(sent, ALL_THERE_MS);
    const lost = sent.filter((hash) => !arrivals.hashes.has(hash)).length;
    return {
      ...{ sent: sent.length, arrived: sent.length - lost, lost },
      duplicates: arrivals.duplicates(sent),
    };
  } finally {
    await end();
    await Promise.all([source.close(), arrivals.close()]);
  }
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
    /** Resolves at the latest when time is up: then some are lost. */
    async untilAll(sent: readonly string[], timeoutMs: number): Promise<void> {
      await eventually(async () => sent.every((hash) => hashes.has(hash)), Boolean, {
        timeoutMs,
        what: 'all arrive',
      }).catch(() => false);
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

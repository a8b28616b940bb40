import { randomUUID } from 'node:crypto';
import {
  arrivalsAtIot,
  arrivalsByMqtt,
  arrivalsByRocketmq,
  connecter,
  iotOptions,
  mqttOptions,
  type ReadArrivals,
} from './pair-readers.ts';
import { mqttSource, rocketmqSource } from './pair-sources.ts';
import { CLUSTERS, type FaultStage } from './stage.ts';
import type { SteadySource } from './steady-source.ts';

export type PairPath = 'rule' | 'session' | 'pull';

/** One task with what feeds it, a reader of its own at the source, and one at the target. */
export interface Pair {
  name: PairName;
  path: PairPath;
  taskId: string;
  /** Order is asked for; without it, it is a figure. */
  isOrdered: boolean;
  /** Messages a second that its source sends at most, whatever the fault asks for; absent: as many as that. */
  mostPerSecond?: number;
  rocketmqTopic: string;
  /** Absent: the rule path reads with none. */
  consumerGroup?: string;
  source: SteadySource;
  /** What the source gives to another reader with a session or group of its own. */
  control: ReadArrivals;
  arrivals: ReadArrivals;
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
/** The emulator's AWS IoT takes no more beside all else: a faster source would only fill its topic, for minutes. */
const IOT_PER_SECOND = 100;

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
    mostPerSecond: IOT_PER_SECOND,
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
    arrivalsOf: (run) =>
      arrivalsByMqtt(connecter(mqttOptions(stage.ends)), `faults/${run}/#`, { isTarget: true }),
  });
}

async function openPullToIotPair(stage: FaultStage, perSecond: number): Promise<Pair> {
  return openPull(stage, perSecond, {
    name: 'rocketmq → aws-iot',
    clusterId: CLUSTERS.iot,
    isOrdered: false,
    mostPerSecond: IOT_PER_SECOND,
    arrivalsOf: async (run) => arrivalsAtIot(stage.relays.iot, run),
  });
}

async function openPull(
  stage: FaultStage,
  perSecond: number,
  options: Pick<Pair, 'name' | 'isOrdered' | 'mostPerSecond'> & {
    clusterId: string;
    arrivalsOf(run: string): Promise<ReadArrivals>;
  },
): Promise<Pair> {
  const { clusterId, arrivalsOf, ...pair } = options;
  const { isOrdered } = pair;
  const run = runName();
  const rocketmqTopic = await registeredTopic(stage, isOrdered ? 'FIFO' : 'NORMAL');
  const arrivals = await arrivalsOf(run);
  const taskId = await stage.runningTask({
    taskName: `pull-${run}`,
    source: { clusterId: CLUSTERS.rocketmq, topic: rocketmqTopic, startFrom: 'earliest' },
    target: { clusterId, topic: `faults/${run}/\${tag}/\${key}` },
  });
  return {
    ...{ ...pair, path: 'pull', taskId, rocketmqTopic, consumerGroup: `mqferry_${taskId}` },
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

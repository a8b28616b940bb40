import { randomUUID } from 'node:crypto';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import type { NumberedMessage } from '../helpers/numbered-messages.ts';
import type { Stage } from './stage.ts';
import {
  type Arrivals,
  arrivalsOnMqtt,
  arrivalsOnRocketmq,
  asPulled,
  mqttSource,
  rocketmqSource,
  type Source,
} from './streams.ts';

/** One task with what feeds it and what sees its messages arrive. */
export interface Direction {
  kind: ShiftKind;
  taskId: string;
  isOrdered: boolean;
  source: Source;
  arrivals: Arrivals;
  /** What has been sent, as it must arrive. */
  expected(): readonly NumberedMessage[];
  close(): Promise<void>;
}

export interface DirectionOptions {
  kind: ShiftKind;
  perSecond: number;
  isOrdered?: boolean;
  /** Clusters other than the stage's own. */
  mqttCluster?: string;
  rocketmqCluster?: string;
}

/** A task of the session or pull path on the stage's parts. */
export async function openDirection(stage: Stage, options: DirectionOptions): Promise<Direction> {
  const { kind, isOrdered = false } = options;
  const run = randomUUID().slice(0, 8);
  const rocketmqTopic = await stage.rocketmq.createTopic(isOrdered ? 'FIFO' : 'NORMAL');
  const made =
    kind === 'session'
      ? await sessionDirection(stage, options, run, rocketmqTopic)
      : await pullDirection(stage, options, run, rocketmqTopic);
  return {
    ...made,
    kind,
    isOrdered,
    expected: () => (kind === 'pull' ? asPulled(made.source.sent) : made.source.sent),
    async close() {
      await stage.roster.remove(kind, made.taskId);
      await Promise.all([made.source.close(), made.arrivals.close()]);
    },
  };
}

async function sessionDirection(stage: Stage, options: DirectionOptions, run: string, rocketmqTopic: string) {
  const { perSecond, isOrdered = false, mqttCluster = 'factory', rocketmqCluster = 'business' } = options;
  const taskId = await stage.addTask('session', {
    source: { clusterId: mqttCluster, topicFilters: [`in/${run}/#`] },
    target: { clusterId: rocketmqCluster, topic: rocketmqTopic, tag: '${topic[3]}', keys: ['${prop.n}'] },
    options: { via: 'session', ordering: isOrdered ? 'topic' : 'none' },
  });
  const arrivals = await arrivalsOnRocketmq(stage, rocketmqTopic, isOrdered);
  return { taskId, source: await mqttSource(stage, run, perSecond), arrivals };
}

async function pullDirection(stage: Stage, options: DirectionOptions, run: string, rocketmqTopic: string) {
  const { perSecond, isOrdered = false, mqttCluster = 'factory', rocketmqCluster = 'business' } = options;
  const taskId = await stage.addTask('pull', {
    source: { clusterId: rocketmqCluster, topic: rocketmqTopic, startFrom: 'earliest' },
    target: { clusterId: mqttCluster, topic: `out/${run}/\${tag}/\${key}` },
  });
  const arrivals = await arrivalsOnMqtt(stage, run);
  return { taskId, source: rocketmqSource(stage, rocketmqTopic, perSecond, isOrdered), arrivals };
}

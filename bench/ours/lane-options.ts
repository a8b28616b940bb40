import type { BenchBroker } from '../stage/stage.ts';
import { TASK_ID } from './records.ts';

/** What `lane-process.ts` is told, as JSON in this variable of its environment. */
export const LANE_VARIABLE = 'MQFERRY_BENCH_LANE';

export interface LaneOptions {
  path: 'session' | 'pull';
  rocketmq: { endpoint: string; nameServer: string };
  rocketmqTopic: string;
  broker: BenchBroker;
  /** Session: the filter. Pull: the topic that is published to. */
  mqttTopic: string;
}

/** First part of our client ids, and the one of lane 0. */
export const CLIENT_ID_PREFIX = 'mqferry';
export const OUR_CLIENT_ID = `${CLIENT_ID_PREFIX}-${TASK_ID}-0`;

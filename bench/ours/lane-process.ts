/** One lane in a process of its own, as a shift runs it: the real lane and adapters, tables and queues in memory. */

import { createMemoryControlQueue } from '../../lib/adapters/memory/control-queue.ts';
import { createMemoryDeadLetterQueue } from '../../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryDeadLetterStore } from '../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryFigureStore } from '../../lib/adapters/memory/figure-store.ts';
import { createMemoryLaneLeases } from '../../lib/adapters/memory/lane-leases.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import { createMemoryOverflowGroups } from '../../lib/adapters/memory/overflow-groups.ts';
import { createMemoryOverflowQueue } from '../../lib/adapters/memory/overflow-queue.ts';
import { createMemoryRetryTallies } from '../../lib/adapters/memory/retry-tallies.ts';
import { createMemorySecretReader } from '../../lib/adapters/memory/secret-reader.ts';
import { createMqttPublishers } from '../../lib/adapters/mqtt/publishers.ts';
import { createMqttSessions } from '../../lib/adapters/mqtt/session.ts';
import { createSessionAddresses } from '../../lib/adapters/mqtt/session-address.ts';
import { createMessageConsumers } from '../../lib/adapters/rocketmq/consumers.ts';
import { createProducerPool } from '../../lib/adapters/rocketmq/producer-pool.ts';
import { createRocketmqAdmins } from '../../lib/adapters/rocketmq-admin/admins.ts';
import { systemClock as clock } from '../../lib/adapters/system/clock.ts';
import type { Logger } from '../../lib/ports/logger.ts';
import { createFigureMeters } from '../../lib/replication/figures/figure-meter.ts';
import { createPullLane } from '../../lib/replication/pull-path/pull-lane.ts';
import { createSessionLane } from '../../lib/replication/session-path/session-lane.ts';
import type { OpenLane } from '../../lib/replication/shifts/lane.ts';
import { RECEIVE_MAXIMUM } from '../stage/receive-maximum.ts';
import { CLIENT_ID_PREFIX, LANE_VARIABLE, type LaneOptions } from './lane-options.ts';
import { benchTask, MQTT_SECRET, mqttCluster, rocketmqCluster } from './records.ts';

/** As a session shift of 100 lanes gives each of them. */
const MAX_PENDING_BYTES = Math.floor((192 * 1024 * 1024) / 100);
const MAX_HELD_BYTES = MAX_PENDING_BYTES;
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
const DRAIN_MS = 5_000;
const RECEIVERS = 16;

const given = JSON.parse(process.env[LANE_VARIABLE] ?? '') as LaneOptions;
const { broker, rocketmqTopic, mqttTopic } = given;
const secrets = createMemorySecretReader({
  [MQTT_SECRET]: JSON.stringify({ username: broker.username, password: broker.password }),
});
const logger: Logger = { debug() {}, info: print, warn: print, error: print };
const meters = createFigureMeters({ store: createMemoryFigureStore(), clock, logger });
const [mqtt, rocketmq] = [mqttCluster(broker), rocketmqCluster(given.rocketmq)];

/** AWS IoT takes no part. */
function unused(): never {
  throw new Error('no cluster of AWS IoT here');
}

function sessionLane(): OpenLane {
  return createSessionLane({
    sessions: createMqttSessions({
      addressOf: createSessionAddresses({ secrets, awsIot: { sign: unused } }),
      clock,
    }),
    producers: createProducerPool({ secrets, clock }),
    deadLetters: createMemoryDeadLetterQueue(),
    overflowQueue: createMemoryOverflowQueue(),
    overflowGroups: createMemoryOverflowGroups(),
    largeBodies: createMemoryLargeBodies(),
    tasks: { reportOverflow: async () => undefined },
    figures: meters,
    control: createMemoryControlQueue(),
    clock,
    logger,
    settings: {
      clientIdPrefix: CLIENT_ID_PREFIX,
      receiveMaximum: RECEIVE_MAXIMUM,
      maxPendingBytes: MAX_PENDING_BYTES,
    },
  });
}

function pullLane(): OpenLane {
  return createPullLane({
    consumers: createMessageConsumers({ secrets, clock }),
    admins: createRocketmqAdmins({ secrets, clock }),
    publishers: createMqttPublishers({ secrets, clock, awsIot: { inRegion: unused, close() {} } }),
    deadLetters: createMemoryDeadLetterStore(),
    figures: meters,
    retryTallies: createMemoryRetryTallies(),
    maxHeldBytes: MAX_HELD_BYTES,
    clock,
    logger,
  });
}

const sessionTask = () =>
  benchTask('mqtt-to-rocketmq', {
    source: { topicFilters: [mqttTopic] },
    target: { topic: rocketmqTopic },
    options: { via: 'session' },
  });
const pullTask = () =>
  benchTask('rocketmq-to-mqtt', {
    source: { topic: rocketmqTopic, startFrom: 'earliest' },
    target: { topic: mqttTopic, qos: 1 },
    options: { concurrency: RECEIVERS },
  });

function print(message: string, { error, ...fields }: Record<string, unknown> = {}): void {
  console.log(message, JSON.stringify(fields), error ?? '');
}

async function openLane() {
  const task = given.path === 'session' ? sessionTask() : pullTask();
  const leases = createMemoryLaneLeases(clock);
  const granted = await leases.acquire({ taskId: task.taskId, lane: 0 }, 'bench', LEASE_MS);
  if (granted === undefined) throw new Error('no lease');
  let { lease } = granted;
  setInterval(async () => {
    const state = { mode: 'forward', version: 1, isEffective: lane.isEffective() } as const;
    const renewed = await leases.renew(lease, LEASE_MS, state);
    if (renewed !== undefined) lease = renewed;
  }, RENEW_MS);
  // The session was made with this filter, as an earlier owner would have left it.
  const memory = given.path === 'session' ? { subscribedFilters: [mqttTopic] } : {};
  const lane = (given.path === 'session' ? sessionLane() : pullLane())({
    task,
    source: given.path === 'session' ? mqtt : rocketmq,
    target: given.path === 'session' ? rocketmq : mqtt,
    lane: 0,
    mode: 'forward',
    memory,
    firstLaneMemory: memory,
    remember: (next) => leases.remember(lease, next),
    isOurs: () => clock.now() < lease.expiresAtMs,
    health: {
      // Said after every receive: a shift hears it once.
      working() {},
      failing: (error) => print('lane fails', { error }),
      canary: () => undefined,
    },
  });
  return lane;
}

/** No `await` at the top: functions are bundled as CommonJS, and so is this. */
async function work(): Promise<void> {
  const lane = await openLane();
  process.once('SIGTERM', async () => {
    await lane.drain(DRAIN_MS);
    process.exit(0);
  });
  const end = await lane.ended;
  print('lane ended', { reason: end.reason, error: end.reason === 'failed' ? end.error : undefined });
  process.exit(1);
}

work().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

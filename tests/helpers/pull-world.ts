import { randomUUID } from 'node:crypto';
import { createManualClock } from '../../lib/adapters/memory/clock.ts';
import { createMemoryDeadLetterStore } from '../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryMessageConsumers } from '../../lib/adapters/memory/message-consumer.ts';
import { createMemoryMqttPublisher } from '../../lib/adapters/memory/mqtt-publisher.ts';
import { createMemoryRetryTallies } from '../../lib/adapters/memory/retry-tallies.ts';
import type { Cluster, ClusterInput } from '../../lib/domain/clusters/cluster.ts';
import type { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import type { CanaryFailure } from '../../lib/domain/tasks/canary.ts';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { newTask } from '../../lib/domain/tasks/task-changes.ts';
import type { LaneMemory, LaneMode } from '../../lib/ports/lane-leases.ts';
import type { RocketmqAdmin } from '../../lib/ports/rocketmq-admin.ts';
import type { LaneMeter } from '../../lib/replication/figures/lane-meter.ts';
import { createPullLane } from '../../lib/replication/pull-path/pull-lane.ts';
import type { Lane, LaneContext } from '../../lib/replication/shifts/lane.ts';
import { memoryFigureMeters } from './figure-meters.ts';
import { silentLogger } from './silent-logger.ts';
import { business, definitionWith } from './tasks.ts';

export const COMMANDS = 'charger_commands';
export const ORDERED = 'charger_orders';
const RECEIVES_END_MS = 5_000;

/** A RocketMQ cluster, an MQTT broker and a dead-letter store in memory, and a pull lane between them. */
export function createPullWorld(
  changes: {
    source?: object;
    target?: object;
    options?: object;
    admin?: RocketmqAdmin;
    /** RocketMQ has moved something away from the group already. */
    hasMoved?: boolean;
    maxHeldBytes?: number;
    meter?: LaneMeter;
  } = {},
) {
  const clock = createManualClock();
  const taskId = randomUUID();
  const consumerGroup = `mqferry_${taskId}`;
  const movedTopic = `%DLQ%${consumerGroup}`;
  const consumers = createMemoryMessageConsumers({
    clock,
    topics: {
      [COMMANDS]: { type: 'NORMAL' },
      [ORDERED]: { type: 'FIFO', queues: 8 },
      ...(changes.hasMoved === true ? { [movedTopic]: { type: 'NORMAL' } as const } : {}),
    },
    retryMaxTimes: 1_000,
  });
  const publisher = createMemoryMqttPublisher({ clock });
  const deadLetters = createMemoryDeadLetterStore();
  const at = new Date(clock.now()).toISOString();
  const definition = definitionWith({
    source: { clusterId: 'business', topic: COMMANDS, ...changes.source },
    target: { clusterId: 'factory', topic: 'stations/${key}/commands', ...changes.target },
    options: changes.options ?? {},
  });
  const task: Task = newTask({
    taskId,
    definition,
    direction: 'rocketmq-to-mqtt',
    sourceRegion: 'eu-west-1',
    desired: 'running',
    at,
  });
  const health: (BridgeError | 'working')[] = [];
  const canaries: ('through' | CanaryFailure)[] = [];
  let isOurs = true;
  let closedPublishers = 0;

  const meters = memoryFigureMeters(clock);
  const openLane = createPullLane({
    consumers,
    publishers: {
      // Each lane closes its own; the broker behind them stays.
      open: async () => ({
        ...publisher,
        close: async () => {
          closedPublishers += 1;
        },
      }),
      close: async () => undefined,
    },
    admins: { adminOf: async () => changes.admin },
    deadLetters,
    figures: meters,
    retryTallies: createMemoryRetryTallies(),
    maxHeldBytes: changes.maxHeldBytes ?? 32 * 1024 * 1024,
    clock,
    logger: silentLogger,
    ...(changes.meter === undefined ? {} : { meter: changes.meter }),
    random: () => 0.5,
  });

  return {
    clock,
    consumers,
    publisher,
    deadLetters,
    figures: meters.store,
    task,
    consumerGroup,
    movedTopic,
    /** What the lane said of its ends, in order. */
    health,
    canaries,
    closedPublishers: () => closedPublishers,
    loseLease() {
      isOurs = false;
    },
    regainLease() {
      isOurs = true;
    },

    /** Opens the lane, and answers when it works or has ended. */
    async open(
      more: { mode?: LaneMode; lane?: number; memory?: LaneMemory; firstLaneMemory?: LaneMemory } = {},
    ): Promise<{ lane: Lane; remembered: LaneMemory[] }> {
      const remembered: LaneMemory[] = [];
      const { lane = 0, mode = 'forward', memory = {}, firstLaneMemory = memory } = more;
      const context: LaneContext = {
        task,
        source: cluster('business', business),
        target: cluster('factory', {
          kind: 'mqtt',
          name: 'Factory',
          region: 'eu-west-1',
          url: 'mqtt://127.0.0.1:1883',
        }),
        lane,
        mode,
        memory,
        firstLaneMemory,
        async remember(next) {
          remembered.push(next);
          return isOurs;
        },
        isOurs: () => isOurs,
        health: {
          working: () => health.push('working'),
          failing: (error) => health.push(error),
          canary: (verdict) => canaries.push(verdict),
        },
      };
      const opened = openLane(context);
      await clock.advance(0);
      await clock.advance(0);
      return { lane: opened, remembered };
    },

    /** Closes a lane: its receives under way have their time to end. */
    async close(lane: Lane): Promise<void> {
      await Promise.all([lane.close(), clock.advance(RECEIVES_END_MS)]);
    },

    /** Everything that needs no time happens. */
    async settle(): Promise<void> {
      for (let turn = 0; turn < 4; turn += 1) await clock.advance(0);
    },

    /** Stores a message of the topic; its key names the station. */
    put(text: string, message: Partial<RocketmqMessage> = {}, bornTimeMs = clock.now() + 1): string {
      const whole = { rocketmqTopic: COMMANDS, body: Buffer.from(text), keys: ['7'], properties: new Map() };
      return consumers.put({ ...whole, ...message }, { bornTimeMs });
    },

    texts: () => publisher.published.map(({ payload }) => payload.toString()),
    left: (topic = COMMANDS) =>
      consumers.unacknowledged(topic, consumerGroup).map(({ body }) => body.toString()),
    async dead() {
      return (await deadLetters.list(task.taskId, { limit: 1_000 })).items;
    },
  };
}

function cluster(clusterId: string, input: ClusterInput): Cluster {
  return { ...input, clusterId, version: 1, createdAt: '', updatedAt: '' };
}

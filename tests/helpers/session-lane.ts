import { createManualClock } from '../../lib/adapters/memory/clock.ts';
import { createMemoryControlQueue } from '../../lib/adapters/memory/control-queue.ts';
import { createMemoryDeadLetterQueue } from '../../lib/adapters/memory/dead-letter-queue.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import {
  createMemoryMessageProducer,
  createMemoryProducerPool,
} from '../../lib/adapters/memory/message-producer.ts';
import { createMemoryMqttBroker } from '../../lib/adapters/memory/mqtt-session.ts';
import { createMemoryOverflowGroups } from '../../lib/adapters/memory/overflow-groups.ts';
import { createMemoryOverflowQueue } from '../../lib/adapters/memory/overflow-queue.ts';
import { type Cluster, ClusterInput } from '../../lib/domain/clusters/cluster.ts';
import type { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { CanaryFailure } from '../../lib/domain/tasks/canary.ts';
import { type Task, TaskDefinition } from '../../lib/domain/tasks/task.ts';
import type { LaneMemory, LaneMode } from '../../lib/ports/lane-leases.ts';
import { createSessionLane } from '../../lib/replication/session-path/session-lane.ts';
import type { SessionLanePorts } from '../../lib/replication/session-path/session-lane-ports.ts';
import type { Lane } from '../../lib/replication/shifts/lane.ts';
import { memoryFigureMeters } from './figure-meters.ts';
import { createRecordingLogger, NOW_MS, rocketmqCluster, TASK_ID } from './rule-path.ts';

export const SOURCE: Cluster = {
  ...ClusterInput.parse({
    kind: 'mqtt',
    name: 'Factory',
    region: 'eu-west-1',
    url: 'mqtt://broker.example:1883',
  }),
  clusterId: 'factory',
  version: 1,
  createdAt: new Date(NOW_MS).toISOString(),
  updatedAt: new Date(NOW_MS).toISOString(),
};

const QUEUE_URL = `https://sqs.eu-west-1.amazonaws.com/123456789012/mqferry-dev-0a1b2c3d-${TASK_ID}`;
const QUEUE_ARN = `arn:aws:sqs:eu-west-1:123456789012:mqferry-dev-0a1b2c3d-${TASK_ID}`;

/** A running task of the session path with a queue; `changes` replace whole members of the definition. */
export function sessionTask(
  changes: Partial<Record<keyof TaskDefinition, unknown>> = {},
  facts: Partial<Omit<Task, 'definition'>> = {},
): Task {
  const definition = TaskDefinition.parse({
    taskName: 'factory-status',
    source: { clusterId: 'factory', topicFilters: ['stations/#'] },
    target: { clusterId: 'business', topic: 'charger_status' },
    ...changes,
    options: { via: 'session', ...((changes.options as object | undefined) ?? {}) },
  });
  const suffix = definition.options.ordering === 'none' ? '' : '.fifo';
  const at = new Date(NOW_MS).toISOString();
  return {
    taskId: TASK_ID,
    definition,
    direction: 'mqtt-to-rocketmq',
    sourceRegion: 'eu-west-1',
    desired: 'running',
    status: 'running',
    version: 3,
    createdAt: at,
    updatedAt: at,
    resources: {
      rules: {},
      queue: { url: `${QUEUE_URL}${suffix}`, arn: `${QUEUE_ARN}${suffix}`, specHash: 'hash' },
    },
    ...facts,
  };
}

/** An ordered task: a FIFO topic, and a FIFO queue of its own. */
export const orderedTask = (facts: Partial<Omit<Task, 'definition'>> = {}) =>
  sessionTask({ target: { clusterId: 'business', topic: 'fifo' }, options: { ordering: 'topic' } }, facts);

export type HealthLine = 'working' | string;

/** Everything a session lane has to do with, in memory, and lanes on it. */
export function createLaneWorld(
  options: {
    task?: Task;
    queueLimit?: number;
    receiveMaximum?: number;
    protocolVersion?: 4 | 5;
    ports?: Partial<SessionLanePorts>;
  } = {},
) {
  const { task = sessionTask(), receiveMaximum = 1_000 } = options;
  const clock = createManualClock(NOW_MS);
  const broker = createMemoryMqttBroker({
    clock,
    protocolVersion: options.protocolVersion ?? 5,
    ...(options.queueLimit === undefined ? {} : { queueLimit: options.queueLimit }),
  });
  const producer = createMemoryMessageProducer({
    topics: { charger_status: 'NORMAL', other: 'NORMAL', fifo: 'FIFO', stations_1: 'NORMAL' },
    clock,
  });
  const deadLetters = createMemoryDeadLetterQueue();
  const queue = createMemoryOverflowQueue();
  const groups = createMemoryOverflowGroups();
  const largeBodies = createMemoryLargeBodies();
  const control = createMemoryControlQueue();
  const logger = createRecordingLogger();
  const reports: boolean[] = [];
  const health: HealthLine[] = [];
  const canaries: ('through' | CanaryFailure)[] = [];
  const world = {
    memory: {} as LaneMemory,
    /** Everything that lanes wrote, oldest first. */
    memories: [] as LaneMemory[],
    queueUrl: task.resources.queue?.url ?? '',
    clientId: `mqferry-${task.taskId}-0`,
  };
  const openLane = createSessionLane({
    sessions: broker.sessions,
    producers: createMemoryProducerPool(producer),
    deadLetters,
    overflowQueue: queue,
    overflowGroups: groups,
    largeBodies,
    tasks: {
      reportOverflow: async (_taskId, isOverflowing) => {
        reports.push(isOverflowing);
      },
    },
    control,
    figures: memoryFigureMeters(clock),
    clock,
    logger,
    settings: { clientIdPrefix: 'mqferry', receiveMaximum, maxPendingBytes: 64 * 1024 * 1024 },
    random: () => 0.5,
    ...options.ports,
  });

  /** A lane with a lease that can be taken away. */
  function open(mode: LaneMode = 'forward', changed: Task = task): Lane & { lease: { isOurs: boolean } } {
    const lease = { isOurs: true };
    const lane = openLane({
      task: changed,
      source: SOURCE,
      target: rocketmqCluster(),
      lane: 0,
      mode,
      memory: world.memory,
      firstLaneMemory: world.memory,
      remember: async (memory) => {
        if (lease.isOurs) {
          world.memory = memory;
          world.memories.push(memory);
        }
        return lease.isOurs;
      },
      isOurs: () => lease.isOurs,
      health: {
        working: () => health.push('working'),
        failing: (error: BridgeError) => health.push(error.code),
        canary: (verdict) => canaries.push(verdict),
      },
    });
    return { ...lane, lease };
  }

  /** Lets everything go on that needs no time. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  return Object.assign(world, {
    task,
    clock,
    broker,
    producer,
    deadLetters,
    queue,
    groups,
    largeBodies,
    control,
    logger,
    reports,
    health,
    canaries,
    open,
    settle,
    publish(
      payloads: readonly string[],
      topicName: string | ((payload: string) => string) = 'stations/7/status',
    ) {
      for (const payload of payloads) {
        broker.publish({
          topicName: typeof topicName === 'string' ? topicName : topicName(payload),
          payload: Buffer.from(payload),
          qos: 1,
        });
      }
    },
    /** Time in small steps, so that whatever is answered meanwhile can go on. */
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += 50) {
        await clock.advance(50);
        await settle();
      }
    },
    bodies: (topic = 'charger_status', from = 0) =>
      producer
        .stored(topic)
        .slice(from)
        .map(({ body }) => body.toString()),
    queued: (from = 0, to = Number.POSITIVE_INFINITY) =>
      queue
        .records(world.queueUrl)
        .slice(from, to)
        .map(({ body }) => {
          const { p = '' } = JSON.parse(body) as { p?: string };
          return Buffer.from(p, 'base64').toString();
        }),
    kept: () => broker.kept(world.clientId),
  });
}

import { createMemoryDeadLetterJobs } from '../../lib/adapters/memory/dead-letter-jobs.ts';
import { createMemoryDeadLetterStore } from '../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryFigureStore } from '../../lib/adapters/memory/figure-store.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import {
  createMemoryMessageProducer,
  createMemoryProducerPool,
} from '../../lib/adapters/memory/message-producer.ts';
import { createMemoryMqttPublisher } from '../../lib/adapters/memory/mqtt-publisher.ts';
import { createMemoryPresenceStates } from '../../lib/adapters/memory/presence-states.ts';
import type { Cluster } from '../../lib/domain/clusters/cluster.ts';
import type { DeadLetter } from '../../lib/domain/dead-letters/dead-letter.ts';
import { type DeadLetterJob, newDeadLetterJob } from '../../lib/domain/dead-letters/dead-letter-job.ts';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { encodeRocketmqEnvelope } from '../../lib/mapping/rocketmq-envelope.ts';
import { deadLetterIdOf } from '../../lib/replication/dead-letters/dead-letter-id.ts';
import { createBatchFigures } from '../../lib/replication/figures/batch-figures.ts';
import { createOpenCarrier } from '../../lib/replication/redrive/open-carrier.ts';
import { createWorkOnJobs } from '../../lib/replication/redrive/work-on-jobs.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  envelopeText,
  NOW_MS,
  rocketmqCluster,
  TASK_ID,
} from './rule-path.ts';

const RUN_MS = 300_000;
const AGE_MS = 3_600_000;

/** Dead letters of one task, both targets in memory, and a worker that redrives and discards. */
export function createRedriveWorld(task: Task | undefined) {
  const clock = createSteppingClock();
  const logger = createRecordingLogger();
  const deadLetters = createMemoryDeadLetterStore();
  const jobs = createMemoryDeadLetterJobs(clock);
  const largeBodies = createMemoryLargeBodies();
  const figures = createMemoryFigureStore();
  const producer = createMemoryMessageProducer({
    topics: { charger_status: 'NORMAL', other: 'NORMAL', fifo: 'FIFO' },
    clock,
  });
  const publisher = createMemoryMqttPublisher({ clock });
  const events: { code: string; details?: Record<string, unknown> }[] = [];
  const broker: Cluster = {
    clusterId: 'factory',
    kind: 'mqtt',
    name: 'Factory',
    region: 'eu-west-1',
    url: 'mqtt://127.0.0.1:1883',
    version: 1,
    createdAt: new Date(NOW_MS).toISOString(),
    updatedAt: new Date(NOW_MS).toISOString(),
  };
  const clientIds: string[] = [];
  let current = task;
  let isRemoving = false;
  let numbers = 0;
  const tasks = {
    get: async () => current,
    reportHealth: async () => true,
    appendEvent: async (_taskId: string, event: { code: string; details?: Record<string, unknown> }) => {
      events.push(event);
    },
  };
  const workOnJobs = createWorkOnJobs({
    jobs,
    deadLetters,
    figures: createBatchFigures({ store: figures, clock, logger }),
    tasks,
    stack: { read: async () => ({ removing: isRemoving }) as never },
    openCarrier: createOpenCarrier({
      tasks,
      clusters: { get: async (clusterId) => (clusterId === 'factory' ? broker : rocketmqCluster()) },
      producers: createMemoryProducerPool(producer),
      publishers: {
        open: async (_cluster, { clientId }) => {
          clientIds.push(clientId);
          return { ...publisher, close: async () => undefined };
        },
      },
      largeBodies,
      presenceStates: createMemoryPresenceStates(),
      clock,
      logger,
      random: () => 0.5,
    }),
    clock,
    logger,
  });

  async function put(changes: Partial<DeadLetter>): Promise<DeadLetter> {
    numbers += 1;
    const firstSeenAtMs = NOW_MS - AGE_MS + numbers * 1_000;
    const letter: DeadLetter = {
      deadLetterId: deadLetterIdOf({ taskId: TASK_ID, recordId: `record-${numbers}`, firstSeenAtMs }),
      taskId: TASK_ID,
      origin: 'forward',
      version: 1,
      code: 'TEMPLATE_VALUE_MISSING',
      reason: 'a value is missing',
      body: envelopeText({}),
      attempts: 1,
      firstSeenAtMs,
      failedAtMs: firstSeenAtMs,
      storedAtMs: firstSeenAtMs + 1,
      ...changes,
    };
    await deadLetters.put(letter);
    return letter;
  }

  return {
    clock,
    logger,
    deadLetters,
    figures,
    jobs,
    largeBodies,
    producer,
    publisher,
    events,
    /** Client identifiers of connections to the MQTT broker. */
    clientIds,
    setTask(next: Task | undefined) {
      current = next;
    },
    beginRemoval() {
      isRemoving = true;
    },
    put,
    /** One of the way to RocketMQ, with a payload. */
    putForward: (payload: string, changes: Partial<DeadLetter> = {}, envelope: object = {}) =>
      put({ body: envelopeText({ payload, ...envelope }), ...changes }),
    /** One of the way from RocketMQ. */
    putPulled: (text: string, message: { keys?: string[]; messageGroup?: string } = {}) =>
      put({
        origin: 'pull',
        body: encodeRocketmqEnvelope({
          taskId: TASK_ID,
          version: 1,
          messageId: `id of ${text}`,
          bornTimeMs: NOW_MS - AGE_MS,
          consumerGroup: `mqferry_${TASK_ID}`,
          rocketmqTopic: 'charger_commands',
          keys: ['42'],
          properties: new Map(),
          body: Buffer.from(text),
          ...message,
        }),
      }),
    /** A job that was asked for now. */
    async ask(changes: Partial<Pick<DeadLetterJob, 'action' | 'selection' | 'maxMessagesPerSecond'>> = {}) {
      clock.step(1);
      const job = newDeadLetterJob({
        jobId: deadLetterIdOf({
          taskId: TASK_ID,
          recordId: String(clock.now()),
          firstSeenAtMs: clock.now(),
        }),
        taskId: TASK_ID,
        action: 'redrive',
        selection: { all: true },
        createdAtMs: clock.now(),
        ...changes,
      });
      await jobs.create(job);
      return job;
    },
    /** One invocation of the worker. */
    run: (more: { taskId?: string; runMs?: number; owner?: string } = {}) =>
      workOnJobs({
        owner: more.owner ?? 'worker',
        deadlineMs: clock.now() + (more.runMs ?? RUN_MS),
        ...(more.taskId === undefined ? {} : { taskId: more.taskId }),
      }),
    read: (job: Pick<DeadLetterJob, 'jobId'>) => jobs.get(TASK_ID, job.jobId),
    async left(): Promise<DeadLetter[]> {
      return (await deadLetters.read(TASK_ID, { limit: 1_000 })).items;
    },
  };
}

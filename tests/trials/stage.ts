import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ulid } from 'ulid';
import { createDynamoClusterStore } from '../../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoDeadLetterStore } from '../../lib/adapters/dynamodb/dead-letter-store.ts';
import { createDynamoLaneLeases } from '../../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoShiftRoster } from '../../lib/adapters/dynamodb/shift-roster.ts';
import { createDynamoShiftSlots } from '../../lib/adapters/dynamodb/shift-slots.ts';
import { createDynamoTaskStore } from '../../lib/adapters/dynamodb/task-store.ts';
import { createS3LargeBodies } from '../../lib/adapters/s3/large-bodies.ts';
import { systemClock as clock } from '../../lib/adapters/system/clock.ts';
import { TaskDefinition } from '../../lib/domain/tasks/task.ts';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import { LOCAL_DIR } from '../../local/layout.ts';
import { type MqttBroker, type MqttBrokerOptions, startMqttBroker } from '../../local/parts/mqtt-broker.ts';
import { ensureGroup } from '../../local/rocketmq-topics.ts';
import { createTestQueues, emulatorConfig } from '../helpers/aws-emulator.ts';
import { eventually } from '../helpers/eventually.ts';
import { createTables } from '../integration/dynamodb/emulator.ts';
import { startTestRocketmq } from '../integration/rocketmq/test-rocketmq.ts';

/** Units of the stack: no trial is about them. */
const CONCURRENCY = 100_000;

/** The definition of a task of a trial, as a user would write it; the ends are the stage's. */
export type DefinitionInput = Record<string, unknown>;

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** Real parts for shifts: RocketMQ, HiveMQ with its own limits unless told otherwise, the stack's table and queues. */
export async function openStage(options: Omit<MqttBrokerOptions, 'home'> = {}) {
  const home = path.join(LOCAL_DIR, 'test', `stage-${randomUUID()}`);
  const brokerOptions = { maxQueueSize: 1_000, ...options, home };
  const [rocketmq, firstBroker] = await Promise.all([startTestRocketmq(), startMqttBroker(brokerOptions)]);
  let mqtt: MqttBroker = firstBroker;
  const config = emulatorConfig();
  const queues = createTestQueues();
  const tables = createTables();
  const table = await tables.open();
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const secretsManager = new SecretsManagerClient(config);
  const bucket = `trial-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const [handOverQueue, controlQueue] = await Promise.all([
    queues.create(),
    queues.create(`control-${randomUUID()}.fifo`, { FifoQueue: 'true', ContentBasedDeduplication: 'true' }),
  ]);
  const clusters = createDynamoClusterStore(table);
  const tasks = createDynamoTaskStore(table, clock);
  const leases = createDynamoLaneLeases(table, clock);
  const roster = createDynamoShiftRoster(table);
  const slots = createDynamoShiftSlots(table, clock);
  const largeBodies = createS3LargeBodies({ s3, bucket });
  const deadLetters = createDynamoDeadLetterStore({ table, largeBodies });

  async function putSecret(members: Record<string, string>): Promise<string> {
    const { ARN = '' } = await secretsManager.send(
      new CreateSecretCommand({ Name: `trial/${randomUUID()}`, SecretString: JSON.stringify(members) }),
    );
    return ARN;
  }

  async function putMqttCluster(clusterId: string, url: string, secret: Record<string, string>) {
    const secretRef = await putSecret(secret);
    const input = { kind: 'mqtt', name: clusterId, region: 'eu-west-1', url, secretRef } as const;
    await clusters.put(clusterId, input, { at: new Date().toISOString() });
  }

  /** Rotates the secret of a cluster, whose record stays as it is. */
  async function changeSecret(clusterId: string, members: Record<string, string>): Promise<void> {
    const cluster = await clusters.get(clusterId);
    if (cluster?.kind !== 'mqtt') throw new Error('this is for MQTT clusters');
    await secretsManager.send(
      new PutSecretValueCommand({ SecretId: cluster.secretRef, SecretString: JSON.stringify(members) }),
    );
  }

  async function putRocketmqCluster(clusterId: string, endpoint: string) {
    const { nameServer } = rocketmq.rocketmq;
    await clusters.put(
      clusterId,
      {
        kind: 'rocketmq',
        name: clusterId,
        region: 'eu-west-1',
        endpoint,
        nameServer,
        tls: false,
        multiMessage: 'auto',
      },
      { at: new Date().toISOString() },
    );
  }

  const credentials = { username: mqtt.username, password: mqtt.password };
  await putMqttCluster('factory', mqtt.url, credentials);
  await putRocketmqCluster('business', rocketmq.rocketmq.endpoint);

  /** A task that is starting and on the roster, as converge leaves it. */
  async function addTask(kind: ShiftKind, input: DefinitionInput, taskId = ulid()): Promise<string> {
    const definition = TaskDefinition.parse({ taskName: `trial-${taskId}`, ...input });
    const isOrdered = definition.options.ordering !== 'none';
    await tasks.create({
      taskId,
      definition,
      direction: kind === 'pull' ? 'rocketmq-to-mqtt' : 'mqtt-to-rocketmq',
      sourceRegion: 'eu-west-1',
      desired: 'running',
      at: new Date().toISOString(),
      concurrencyLimit: CONCURRENCY,
    });
    const lease = await tasks.acquireLease(taskId, 'trial', 60_000);
    if (lease === undefined) throw new Error('a new task is leased');
    const suffix = isOrdered ? '.fifo' : '';
    const queue =
      kind === 'session'
        ? await queues.create(`mqferry-trial-0a1b2c3d-${taskId}${suffix}`, {
            VisibilityTimeout: '180',
            ...(isOrdered ? { FifoQueue: 'true' } : {}),
          })
        : undefined;
    await tasks.saveProgress(lease, {
      status: 'starting',
      resources: { rules: {}, ...(queue === undefined ? {} : { queue: { ...queue, specHash: 'hash' } }) },
    });
    await tasks.releaseLease(lease);
    await roster.put(kind, { taskId, version: 1, mode: 'forward', lanes: 1 });
    return taskId;
  }

  return {
    rocketmq,
    queues,
    handOverQueue,
    largeBodies,
    table,
    tasks,
    clusters,
    leases,
    roster,
    slots,
    deadLetters,
    changeSecret,
    putMqttCluster,
    putRocketmqCluster,
    addTask,
    get mqtt() {
      return mqtt;
    },

    /** What a shift's function or process is given. */
    environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
      return {
        AWS_ENDPOINT_URL: config.endpoint,
        AWS_REGION: config.region,
        AWS_ACCESS_KEY_ID: config.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: config.credentials.secretAccessKey,
        TABLE_NAME: table.tableName,
        DEAD_LETTER_BUCKET: bucket,
        DEAD_LETTER_QUEUE_URL: handOverQueue.url,
        CONTROL_QUEUE_URL: controlQueue.url,
        CODE_VERSION: 'trial',
        SERVICE: 'mqferry',
        STAGE: 'trial',
        SHIFT_CAPACITY: '400',
        ALLOW_LOCAL_ADDRESSES: 'true',
        ...more,
      };
    },

    /** A consumer group of its own for whoever looks at what has arrived. */
    async readerGroup(isOrderly: boolean): Promise<string> {
      const group = `reader_${randomUUID()}`;
      await ensureGroup({ nameServer: rocketmq.rocketmq.nameServer }, { group, orderly: isOrderly });
      return group;
    },

    /** Starts the MQTT broker again on its port, with what it has stored. */
    async restartMqtt(): Promise<void> {
      await mqtt.process.kill();
      const { port } = new URL(mqtt.url);
      mqtt = await startMqttBroker({ ...brokerOptions, ...credentials, port: Number(port), keep: true });
    },

    async statusIs(taskId: string, status: string, timeoutMs = 30_000) {
      return eventually(
        async () => await tasks.get(taskId),
        (task) => task?.status === status,
        { timeoutMs, everyMs: 50, what: `task ${taskId} is ${status}` },
      );
    },

    async close(): Promise<void> {
      await Promise.all([rocketmq.stop(), mqtt.process.kill(), queues.dropAll(), tables.dropAll()]);
      s3.destroy();
      secretsManager.destroy();
      await rm(home, { recursive: true, force: true });
    },
  };
}

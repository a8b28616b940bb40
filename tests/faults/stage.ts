import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createDynamoDeadLetterStore } from '../../lib/adapters/dynamodb/dead-letter-store.ts';
import { createDynamoLaneLeases } from '../../lib/adapters/dynamodb/lane-leases.ts';
import { openTable, type Table } from '../../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../../lib/adapters/dynamodb/task-store.ts';
import { createMemoryLargeBodies } from '../../lib/adapters/memory/large-bodies.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { createGetTask } from '../../lib/control/tasks/get-task.ts';
import { createLiveStatus } from '../../lib/control/tasks/live-status.ts';
import { createShowTask, type ShowTask } from '../../lib/control/tasks/show-task.ts';
import type { DeadLetterStore } from '../../lib/ports/dead-letter-store.ts';
import type { LaneLeases } from '../../lib/ports/lane-leases.ts';
import type { TaskStore } from '../../lib/ports/task-store.ts';
import { type ApiClient, createApiClient } from '../../local/api-client.ts';
import { rootConfig } from '../../local/deploy.ts';
import { LOCAL_DIR } from '../../local/layout.ts';
import { type MqttBroker, startMqttBroker } from '../../local/parts/mqtt-broker.ts';
import { ensureGroup, ensureTopic } from '../../local/rocketmq-topics.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Relay, startRelay } from '../helpers/relay.ts';
import { brokerOrders } from './broker-orders.ts';
import { createDeliveryHold } from './delivery-hold.ts';
import { processesOfFunction } from './function-processes.ts';
import { relayFunction, relayTable } from './function-settings.ts';
import { startPublishRelay } from './publish-relay.ts';
import { startTableRelay } from './table-relay.ts';

/** Clusters whose brokers the functions reach through the relays. */
export const CLUSTERS = { mqtt: 'factory-by-relay', rocketmq: 'business-by-relay', iot: 'devices' } as const;

export const FUNCTIONS = {
  rule: 'mqferry-local-mqtt-to-rocketmq',
  pull: 'mqferry-local-rocketmq-to-mqtt',
  session: 'mqferry-local-mqtt-session',
} as const;

/** Small enough for the broker to need a new file within a minute of traffic. */
const COMMIT_LOG_FILE_BYTES = 8 * 1_024 * 1_024;
const RUNNING_MS = 120_000;

export type FaultStage = Awaited<ReturnType<typeof openFaultStage>>;

/**
 * The whole stack, deployed, with relays before both brokers, before DynamoDB and before what is published to AWS IoT.
 *
 * @param variables - of the environment of every function that knows the table
 */
export async function openFaultStage(variables: Readonly<Record<string, string>> = {}) {
  const dir = path.join(LOCAL_DIR, 'faults');
  const stack = await startStack({
    dir,
    ports: 'free',
    brokerSettings: { mappedFileSizeCommitLog: COMMIT_LOG_FILE_BYTES },
  });
  const closing: (() => Promise<void>)[] = [() => stack.stop()];
  try {
    const { aws, rocketmq } = stack;
    const hold = createDeliveryHold();
    const relays = {
      rocketmq: await startRelay(rocketmq.ports.grpc),
      mqtt: await startRelay(Number(new URL(stack.file.mqtt.url).port), hold.watch),
      table: await startTableRelay(rootConfig(aws)),
      iot: await startPublishRelay(aws.endpoint),
    };
    closing.push(async () => {
      await Promise.all(Object.values(relays).map((relay) => relay.close()));
    });
    const leadThroughRelays = async () => {
      await relayTable(stack, relays.table, variables);
      await relayFunction(stack, FUNCTIONS.pull, relays.iot);
    };
    await leadThroughRelays();
    const api = createApiClient({ api: stack.file.api, region: aws.region, user: stack.user });
    await registerByRelay(stack, relays, api);
    const control = openControl(stack);
    return { dir, stack, relays, leadThroughRelays, hold, api, ...control, ...brokersOf(stack, dir), close };

    async function close(): Promise<void> {
      for (const end of closing.splice(0).reverse()) await end();
    }
  } catch (error) {
    for (const end of closing.splice(0).reverse()) await end();
    throw error;
  }
}

async function registerByRelay(
  { aws, file }: Stack,
  relays: { rocketmq: Relay; mqtt: Relay },
  api: ApiClient,
) {
  const client = new SecretsManagerClient(rootConfig(aws));
  const { username, password } = file.mqtt;
  const { ARN: secretRef } = await client.send(
    new CreateSecretCommand({
      Name: `faults-${randomUUID()}`,
      SecretString: JSON.stringify({ username, password }),
    }),
  );
  const url = `mqtt://${relays.mqtt.endpoint}`;
  const { region } = aws;
  await api('PUT', `/clusters/${CLUSTERS.mqtt}`, {
    body: { kind: 'mqtt', name: 'Factory', region, url, secretRef },
  });
  await api('PUT', `/clusters/${CLUSTERS.rocketmq}`, {
    body: {
      kind: 'rocketmq',
      name: 'Business',
      region,
      endpoint: relays.rocketmq.endpoint,
      tls: false,
      nameServer: file.rocketmq.nameServer,
    },
  });
}

/** Tasks and their table, as the root user sees them. */
interface Control {
  table: Table;
  tasks: TaskStore;
  leases: LaneLeases;
  deadLetters: DeadLetterStore;
  /** As the API shows it. */
  getTask: ShowTask;
  /** Creates a task over HTTPS and resolves when it runs. */
  runningTask(definition: Record<string, unknown>): Promise<string>;
  /** Processes in which the emulator runs a function. */
  processesOf(path: keyof typeof FUNCTIONS): Promise<number[]>;
}

function openControl({ aws, deployment, file, user }: Stack): Control {
  const api = createApiClient({ api: file.api, region: aws.region, user });
  const tableName = [...deployment.physicalIds].find(([logicalId]) => logicalId === 'Table')?.[1];
  if (tableName === undefined) throw new Error('the stack has no table');
  const table = openTable(tableName, rootConfig(aws));
  const tasks = createDynamoTaskStore(table, systemClock);
  const leases = createDynamoLaneLeases(table, systemClock);
  return {
    table,
    tasks,
    leases,
    deadLetters: createDynamoDeadLetterStore({ table, largeBodies: createMemoryLargeBodies() }),
    getTask: createShowTask({
      getTask: createGetTask({ tasks }),
      liveStatus: createLiveStatus({ leases, clock: systemClock }),
    }),
    async runningTask(definition: Record<string, unknown>): Promise<string> {
      const { body } = await api('POST', '/tasks', { body: { ...definition, startNow: true } });
      await eventually(
        () => tasks.get(body.taskId),
        (task) => task?.status === 'running',
        { timeoutMs: RUNNING_MS, what: `task ${definition.taskName} runs` },
      );
      return body.taskId as string;
    },
    async processesOf(path: keyof typeof FUNCTIONS): Promise<number[]> {
      return processesOfFunction(FUNCTIONS[path], aws.process.pid);
    },
  };
}

function brokersOf(stack: Stack, dir: string) {
  const { rocketmq, file } = stack;
  let mqtt: MqttBroker = stack.mqttBroker;
  return {
    ends: { mqtt: file.mqtt, iot: file.iot, rocketmq: file.rocketmq },
    async createTopic(type: 'NORMAL' | 'FIFO', topic = `faults_${randomUUID().replaceAll('-', '')}`) {
      await ensureTopic(file.rocketmq, { topic, type });
      return topic;
    },
    async readerGroup(isOrderly: boolean): Promise<string> {
      const group = `reader_${randomUUID()}`;
      await ensureGroup(file.rocketmq, { group, orderly: isOrderly });
      return group;
    },
    ...brokerOrders(rocketmq),
    rocketmq,
    mqttPid: () => mqtt.process.pid,
    killMqtt: () => mqtt.process.kill(),
    /** With what it has stored, on the same port. @param password - instead of the one that everybody has */
    async restartMqtt(password = file.mqtt.password): Promise<void> {
      const { username } = file.mqtt;
      const port = Number(new URL(file.mqtt.url).port);
      mqtt = await startMqttBroker({
        home: path.join(dir, 'mqtt-broker'),
        ...{ port, username, password, keep: true },
      });
    },
  };
}

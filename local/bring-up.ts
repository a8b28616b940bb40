import { createApiUser } from './api-user.ts';
import { type Deployment, deploy } from './deploy.ts';
import { ensureEmulator, ensureJars } from './downloads.ts';
import type { StackLayout } from './layout.ts';
import { type Aws, type AwsCredentials, startAws } from './parts/aws.ts';
import { type MqttBroker, startMqttBroker } from './parts/mqtt-broker.ts';
import { type Rocketmq, type RocketmqOptions, startRocketmq } from './parts/rocketmq.ts';
import type { StackPorts } from './ports.ts';
import type { Tools } from './prerequisites.ts';
import type { PartProcess } from './process.ts';
import type { Progress } from './progress.ts';
import { together } from './together.ts';

export interface BringUpContext {
  layout: StackLayout;
  ports: StackPorts;
  tools: Tools;
  keep: boolean;
  progress: Progress;
  signal: AbortSignal;
  /** Told of each part as soon as it runs, and how to end it. */
  onStarted: (processes: readonly PartProcess[], stop: () => Promise<void>) => void;
  brokerSettings?: RocketmqOptions['brokerSettings'];
}

/** What runs when everything is up. */
export interface RunningParts {
  rocketmq: Rocketmq;
  mqttBroker: MqttBroker;
  aws: Aws;
  deployment: Deployment;
  /** May call the deployed API. */
  user: AwsCredentials;
}

/** Fetches what is missing, starts the three parts side by side and deploys as soon as the emulator answers. */
export async function bringUp(context: BringUpContext): Promise<RunningParts> {
  const [rocketmq, mqttBroker, cloud] = await together(context.signal, [
    (signal) => bringUpRocketmq({ ...context, signal }),
    (signal) => bringUpMqttBroker({ ...context, signal }),
    (signal) => bringUpCloud({ ...context, signal }),
  ]);
  return { rocketmq, mqttBroker, ...cloud };
}

async function bringUpRocketmq({
  layout,
  ports,
  progress,
  onStarted,
  ...common
}: BringUpContext): Promise<Rocketmq> {
  await progress.stepIfNeeded('jars fetched', () =>
    ensureJars({ ...common, onFetch: sayFetching(progress) }),
  );
  return await progress.step(
    'RocketMQ',
    async () => {
      const part = await startRocketmq({ ...common, home: layout.rocketmq, ports: ports.rocketmq });
      onStarted([part.nameServerProcess, part.broker], () => part.stop());
      return part;
    },
    (part) => `${part.endpoint}, name server ${part.nameServer}`,
  );
}

async function bringUpMqttBroker({
  layout,
  ports,
  progress,
  onStarted,
  ...common
}: BringUpContext): Promise<MqttBroker> {
  // Waits for the download begun for RocketMQ.
  await ensureJars(common);
  return await progress.step(
    'MQTT broker',
    async () => {
      const part = await startMqttBroker({ ...common, home: layout.mqttBroker, port: ports.mqtt });
      onStarted([part.process], () => part.process.stop());
      return part;
    },
    (part) => part.url,
  );
}

async function bringUpCloud(
  context: BringUpContext,
): Promise<Pick<RunningParts, 'aws' | 'deployment' | 'user'>> {
  const { layout, ports, progress, onStarted, ...common } = context;
  await progress.stepIfNeeded('AWS emulator fetched', () =>
    ensureEmulator({ ...common, onFetch: sayFetching(progress) }),
  );
  const aws = await progress.step(
    'AWS emulator',
    async () => {
      const part = await startAws({ ...common, home: layout.aws, port: ports.aws });
      onStarted([part.process], () => part.process.stop());
      return part;
    },
    (part) => part.endpoint,
  );
  const deployment = await progress.step(
    'serverless deploy --stage local',
    () => deploy({ aws, logs: layout.deploy, signal: common.signal }),
    (deployed) => deployed.api,
  );
  return { aws, deployment, user: await createApiUser(aws, deployment.apiId) };
}

function sayFetching(progress: Progress): (what: string) => void {
  return (what) => progress.say(`fetching ${what} …`);
}

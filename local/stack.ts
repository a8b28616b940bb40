import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bringUp, type RunningParts } from './bring-up.ts';
import { LocalStackError } from './errors.ts';
import { LOCAL_DIR, layoutOf, PROJECT_DIR, type StackLayout } from './layout.ts';
import type { RocketmqOptions } from './parts/rocketmq.ts';
import { chooseFreePorts, choosePorts, type StackPorts, takenPorts } from './ports.ts';
import { checkPrerequisites, type Tools } from './prerequisites.ts';
import { describeExit, type Exit, type PartProcess } from './process.ts';
import { rememberThisProcess, runningRecords, STARTER } from './process-records.ts';
import { type Progress, SILENT } from './progress.ts';
import { CLUSTERS, registerClusters } from './register.ts';
import { type StackFile, writeStackFile } from './stack-file.ts';

const EXIT_KNOWN_MS = 1_000;

export interface StackOptions {
  /** Where it keeps everything: `.local`, or a folder in it of a test run. */
  dir?: string;
  /** `usual`: 8081, 9876, 10911, 1883, 4566 where they are free; `free`: others, so that it may run beside another. */
  ports?: 'usual' | 'free';
  /** Keep the data of an earlier run. */
  keep?: boolean;
  signal?: AbortSignal;
  progress?: Progress;
  /** Default: looked for. */
  tools?: Tools;
  /** More of RocketMQ's `broker.conf`. */
  brokerSettings?: RocketmqOptions['brokerSettings'];
}

/** All parts running, the service deployed on them, the clusters registered. */
export interface Stack extends RunningParts {
  readonly layout: StackLayout;
  /** What `stack.json` says. */
  readonly file: StackFile;
  /** Resolves when a part ends that nobody told to. */
  crashed(): Promise<{ part: PartProcess; exit: Exit }>;
  /** Ends every part, side by side. */
  stop(): Promise<void>;
  /** Lets the parts live on when this process ends. */
  detach(): void;
}

/**
 * Brings up RocketMQ, the MQTT broker and the AWS emulator side by side, deploys the service and registers the clusters.
 * When any of it fails or is interrupted, everything begun is ended before the error is thrown.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { progress = SILENT, signal = new AbortController().signal, keep = false } = options;
  const layout = layoutOf(options.dir ?? LOCAL_DIR);
  const tools = options.tools ?? (await checkPrerequisites());
  await expectNotRunning(layout);
  await mkdir(layout.dir, { recursive: true });
  const forget = await rememberThisProcess(STARTER, layout.dir);
  await rm(layout.stackFile, { force: true });
  const ports = await choosePortsFor(layout, options, progress);

  const stops: (() => Promise<void>)[] = [];
  const started: PartProcess[] = [];
  const stop = async () => {
    await Promise.all([rm(layout.stackFile, { force: true }), ...stops.map((stopPart) => stopPart())]);
    forget();
  };
  try {
    const onStarted = (processes: readonly PartProcess[], stopPart: () => Promise<void>) => {
      started.push(...processes);
      stops.push(stopPart);
    };
    const { brokerSettings } = options;
    const parts = await bringUp({ layout, ports, tools, keep, progress, signal, onStarted, brokerSettings });
    await progress.step('clusters registered over the API', () => registerClusters(parts, signal));
    const file = describe(parts);
    await writeStackFile(layout.stackFile, file);
    return {
      ...parts,
      layout,
      file,
      crashed: () => firstExit(processesOf(parts)),
      stop,
      detach: () => {
        for (const part of processesOf(parts)) part.detach();
        forget();
      },
    };
  } catch (error) {
    const isTold = error instanceof LocalStackError && error.code !== 'COMMAND_FAILED';
    const told = isTold || signal.aborted ? error : await crashBehind(error, started);
    await stop();
    throw told;
  }
}

/** Who asks a part that has just ended meets an error that says nothing of it; its end is known a moment later. */
async function crashBehind(error: unknown, started: readonly PartProcess[]): Promise<unknown> {
  const crash = await Promise.race([firstExit(started), delay(EXIT_KNOWN_MS, undefined)]);
  return crash === undefined ? error : partCrashed(crash, error);
}

/** One sentence for the person at the keyboard. */
export function partCrashed(
  { part, exit }: { part: PartProcess; exit: Exit },
  cause?: unknown,
): LocalStackError {
  return new LocalStackError(
    'PART_CRASHED',
    `${part.name} ended unexpectedly (${describeExit(exit)}); everything else is stopped. Its last words are in ${path.relative(PROJECT_DIR, part.logFile)}. "npm start" begins anew.`,
    { cause },
  );
}

async function expectNotRunning(layout: StackLayout): Promise<void> {
  const homes = [layout.dir, layout.rocketmq, layout.mqttBroker, layout.aws];
  const running = (await runningRecords()).filter(({ home }) => homes.includes(home));
  if (running.length === 0) return;
  const names = running.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
  throw new LocalStackError(
    'ALREADY_RUNNING',
    `This stack is running already: ${names}. End it with "npm stop" first.`,
  );
}

/**
 * Kept data names the addresses of its time, in registered clusters and in URLs of queues: it needs the ports it was
 * written with.
 */
async function choosePortsFor(
  layout: StackLayout,
  options: StackOptions,
  progress: Progress,
): Promise<StackPorts> {
  const earlier =
    options.keep === true ? await readFile(layout.portsFile, 'utf8').catch(() => undefined) : undefined;
  if (earlier !== undefined) {
    const ports = JSON.parse(earlier) as StackPorts;
    const taken = await takenPorts(ports);
    if (taken.length === 0) return ports;
    throw new LocalStackError(
      'PORT_TAKEN',
      `The kept data needs the ports of its last run, and ${taken.join(', ')} is taken: end what listens there, or start without --keep.`,
    );
  }
  const { ports, moved } = options.ports === 'free' ? await chooseFreePorts() : await choosePorts();
  for (const line of moved) progress.say(line);
  await writeFile(layout.portsFile, JSON.stringify(ports));
  return ports;
}

function describe({ rocketmq, mqttBroker, aws, deployment, user }: RunningParts): StackFile {
  return {
    api: deployment.api,
    aws: { endpoint: aws.endpoint, region: aws.region, ...user },
    iot: aws.iot,
    mqtt: { url: mqttBroker.url, username: mqttBroker.username, password: mqttBroker.password },
    rocketmq: { endpoint: rocketmq.endpoint, nameServer: rocketmq.nameServer },
    clusters: CLUSTERS,
  };
}

function processesOf({ rocketmq, mqttBroker, aws }: RunningParts): PartProcess[] {
  return [rocketmq.nameServerProcess, rocketmq.broker, mqttBroker.process, aws.process];
}

async function firstExit(parts: readonly PartProcess[]): Promise<{ part: PartProcess; exit: Exit }> {
  return await Promise.race(parts.map(async (part) => ({ part, exit: await part.exited })));
}

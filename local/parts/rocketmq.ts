import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureJars } from '../downloads.ts';
import { DOWNLOADS } from '../layout.ts';
import { freeRocketmqPorts, type RocketmqPorts } from '../ports.ts';
import type { Tools } from '../prerequisites.ts';
import { type PartProcess, spawnPart } from '../process.ts';
import { untilBrokerRegistered } from '../rocketmq-topics.ts';
import { brokerConfig, nameServerConfig, proxyConfig, type RocketmqSettings } from './rocketmq-config.ts';

export interface RocketmqOptions {
  /** Folder of this RocketMQ, under `.local`: configuration, data, logs. */
  home: string;
  /** Default: free ones. */
  ports?: RocketmqPorts;
  /** PEM texts; the endpoint then takes TLS beside plaintext. Default: none of its own. */
  tls?: { certificate: string; privateKey: string };
  /** Turns ACL 2.0 on, with this user who may do everything. */
  acl?: { username: string; password: string };
  /** More of `broker.conf`. */
  brokerSettings?: RocketmqSettings['brokerSettings'];
  /** Keep what an earlier run stored. Default: begin empty. */
  keep?: boolean;
  signal?: AbortSignal | undefined;
  tools?: Tools | undefined;
}

/** A running name server, broker and proxy. Broker and proxy are one process, which may die and come back. */
export interface Rocketmq {
  /** host:port of the gRPC endpoint. */
  readonly endpoint: string;
  readonly nameServer: string;
  readonly ports: RocketmqPorts;
  /** Its settings, which count from a start on. */
  readonly files: { readonly broker: string; readonly proxy: string };
  /** The broker and proxy as they run now. */
  readonly broker: PartProcess;
  readonly nameServerProcess: PartProcess;
  /** Ends broker and proxy without a chance to tidy up. */
  kill(): Promise<void>;
  /** Starts broker and proxy again, with the same command line and data; ends them first when they still run. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  detach(): void;
}

const READY_TIMEOUT_MS = 120_000;

// An orderly end takes the proxy 16 s. The store survives a kill: its files are mapped memory, which the system keeps.
const GRACE_MS = 2_000;

/** Starts RocketMQ 5.4.0 and resolves when it takes messages. */
export async function startRocketmq(options: RocketmqOptions): Promise<Rocketmq> {
  const { signal, tools, home } = options;
  await ensureJars({ signal, tools });
  const ports = options.ports ?? (await freeRocketmqPorts());
  const files = await prepareHome(options, ports);
  const nameServer = `127.0.0.1:${ports.nameServer}`;
  const nameServerProcess = await spawnPart({
    name: 'RocketMQ name server',
    command: tools?.java ?? 'java',
    args: [
      ...jvm(home, ['-Xms32m', '-Xmx128m', '-XX:TieredStopAtLevel=1']),
      'org.apache.rocketmq.namesrv.NamesrvStartup',
      ...['-c', files.nameServer],
    ],
    home,
    env: process.env,
    logFile: path.join(home, 'name-server.log'),
    graceMs: GRACE_MS,
  });
  let running: PartProcess;
  try {
    // First: a broker that finds no name server tries again only 10 s later.
    await nameServerProcess.ready(/The Name Server boot success/, { timeoutMs: READY_TIMEOUT_MS, signal });
    running = await startBroker({ home, ports, tools, signal });
  } catch (error) {
    await nameServerProcess.kill();
    throw error;
  }
  return {
    endpoint: `127.0.0.1:${ports.grpc}`,
    nameServer,
    ports,
    files,
    nameServerProcess,
    get broker() {
      return running;
    },
    kill: () => running.kill(),
    async restart() {
      await running.stop();
      running = await startBroker({ home, ports, tools });
    },
    async stop() {
      await running.stop();
      await nameServerProcess.stop();
    },
    detach() {
      running.detach();
      nameServerProcess.detach();
    },
  };
}

/** Starts broker and proxy of a home whose settings are written, and resolves when they take messages. */
export async function startBroker({
  home,
  ports,
  tools,
  signal,
}: {
  home: string;
  ports: RocketmqPorts;
  tools?: Tools | undefined;
  signal?: AbortSignal | undefined;
}): Promise<PartProcess> {
  const nameServer = `127.0.0.1:${ports.nameServer}`;
  const files = filesOf(home);
  const broker = await spawnPart({
    name: 'RocketMQ',
    command: tools?.java ?? 'java',
    args: [
      ...jvm(home, ['-Xms256m', '-Xmx512m', '-XX:MaxDirectMemorySize=512m']),
      'org.apache.rocketmq.proxy.ProxyStartup',
      ...['-pm', 'local', '-n', nameServer, '-pc', files.proxy, '-bc', files.broker],
    ],
    home,
    env: process.env,
    logFile: path.join(home, 'rocketmq.log'),
    graceMs: GRACE_MS,
  });
  try {
    const limits = { timeoutMs: READY_TIMEOUT_MS, signal };
    await broker.ready(/rocketmq-proxy startup successfully/, limits);
    await untilBrokerRegistered({ nameServer }, limits);
  } catch (error) {
    await broker.kill();
    throw error;
  }
  return broker;
}

const filesOf = (home: string) => ({
  nameServer: path.join(home, 'name-server.conf'),
  broker: path.join(home, 'broker.conf'),
  proxy: path.join(home, 'proxy.json'),
});

async function prepareHome(options: RocketmqOptions, ports: RocketmqPorts) {
  const { home } = options;
  if (options.keep !== true) await rm(home, { recursive: true, force: true });
  await mkdir(path.join(home, 'tmp'), { recursive: true });
  const files = filesOf(home);
  let tls: { certificateFile: string; privateKeyFile: string } | undefined;
  if (options.tls !== undefined) {
    tls = {
      certificateFile: path.join(home, 'certificate.pem'),
      privateKeyFile: path.join(home, 'private-key.pem'),
    };
    await writeFile(tls.certificateFile, options.tls.certificate);
    await writeFile(tls.privateKeyFile, options.tls.privateKey, { mode: 0o600 });
  }
  const settings = { home, ports, acl: options.acl, tls, brokerSettings: options.brokerSettings };
  await Promise.all([
    writeFile(files.nameServer, nameServerConfig(settings)),
    writeFile(files.broker, brokerConfig(settings), { mode: 0o600 }),
    writeFile(files.proxy, proxyConfig(settings)),
  ]);
  return files;
}

/**
 * Everything that RocketMQ and the JVM would write elsewhere goes to `home`; the home folder as a property and not in the
 * environment, so that the command line alone starts it again.
 */
function jvm(home: string, memory: readonly string[]): string[] {
  return [
    `-Duser.home=${home}`,
    `-Drocketmq.home.dir=${home}`,
    `-Djava.io.tmpdir=${path.join(home, 'tmp')}`,
    '-XX:-UsePerfData',
    '-XX:+UseSerialGC',
    ...memory,
    '-cp',
    path.join(DOWNLOADS.rocketmq, '*'),
  ];
}

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ensureJavaClasses, ensureMavenJars } from '../../local/downloads.ts';
import { LOCAL_DIR } from '../../local/layout.ts';
import { type PartProcess, spawnPart } from '../../local/process.ts';
import type { BenchBroker } from '../stage/stage.ts';

export interface CamelOptions {
  path: 'session' | 'pull';
  nameServer: string;
  rocketmqTopic: string;
  broker: BenchBroker;
  clientId: string;
  /** Session: the filter. Pull: the topic that is published to. */
  mqttTopic: string;
  /** Pull; it must exist. */
  consumerGroup?: string;
  /** Set up so that it loses as little as it can, which is the default, or as it comes. */
  isCareful?: boolean;
}

const SOURCES = path.resolve(import.meta.dirname, '..', 'camel');
const LIBRARIES = path.join(LOCAL_DIR, 'bench-lib');
const JARS = path.join(LIBRARIES, 'camel');
/** What it logs is in the way of nothing. */
const JVM = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
const GRACE_MS = 15_000;

/** Fetches Apache Camel when it is not there yet. */
export async function ensureCamel(): Promise<string[]> {
  const onFetch = (what: string) => console.log(`Fetching ${what}`);
  await ensureMavenJars(
    { what: 'Apache Camel, from Maven (about 90 MB)', target: LIBRARIES, pom: path.join(SOURCES, 'pom.xml') },
    { onFetch },
  );
  const classes = path.join(LIBRARIES, 'classes');
  const source = path.join(SOURCES, 'CamelPeer.java');
  await ensureJavaClasses({ what: 'the peer', target: classes, source, jars: JARS });
  return [classes, path.join(JARS, '*')];
}

/** Starts Camel with one route. */
export async function startCamel(home: string, options: CamelOptions): Promise<PartProcess> {
  const { broker, consumerGroup } = options;
  const classPath = await ensureCamel();
  await mkdir(home, { recursive: true });
  return await spawnPart({
    name: `Apache Camel, ${options.path} path`,
    command: 'java',
    args: [
      ...JVM,
      `-Duser.home=${home}`,
      ...['-cp', classPath.join(path.delimiter)],
      ...['CamelPeer', options.path],
    ],
    home,
    // In the environment, since a password is among them.
    env: {
      ...process.env,
      MQTT_URL: broker.url.replace('mqtt:', 'tcp:'),
      MQTT_USERNAME: broker.username,
      MQTT_PASSWORD: broker.password,
      MQTT_CLIENT_ID: options.clientId,
      MQTT_TOPIC: options.mqttTopic,
      NAME_SERVER: options.nameServer,
      CAREFUL: String(options.isCareful ?? true),
      ROCKETMQ_TOPIC: options.rocketmqTopic,
      ...(consumerGroup === undefined ? {} : { CONSUMER_GROUP: consumerGroup }),
    },
    logFile: path.join(home, 'camel.log'),
    graceMs: GRACE_MS,
  });
}

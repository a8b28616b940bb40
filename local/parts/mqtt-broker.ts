import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureJars, ensureMqttBrokerClass } from '../downloads.ts';
import { DOWNLOADS } from '../layout.ts';
import { freePort } from '../ports.ts';
import type { Tools } from '../prerequisites.ts';
import { type PartProcess, spawnPart } from '../process.ts';

export interface MqttBrokerOptions {
  /** Folder of this broker, under `.local`: configuration, data, logs. */
  home: string;
  /** Default: a free one. */
  port?: number;
  username?: string;
  /** Default: a random one. */
  password?: string;
  /** Keep sessions and retained messages of an earlier run. Default: begin empty. */
  keep?: boolean;
  /** What clients may have unacknowledged, and how large a packet may be. Default: HiveMQ's 10, and 256 MiB. */
  receiveMaximum?: number;
  maxPacketBytes?: number;
  /**
   * Messages that a session keeps. HiveMQ's own 1,000 drop what a session has not taken, although its publishers were told
   * that it was accepted; the default here is 100,000.
   */
  maxQueueSize?: number;
  /** Messages that a client is sent before it acknowledges; HiveMQ's own, and the default, are 50, whatever a client asks for. */
  maxInflight?: number;
  signal?: AbortSignal | undefined;
  tools?: Tools | undefined;
}

export interface MqttBroker {
  /** `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** `ws://127.0.0.1:8000/mqtt`. */
  readonly websocketUrl: string;
  readonly username: string;
  readonly password: string;
  readonly process: PartProcess;
}

const READY_TIMEOUT_MS = 120_000;

// An orderly end takes 5 s, whatever there is to save.
const GRACE_MS = 8_000;

const MAX_QUEUE_SIZE = 100_000;

/** Starts HiveMQ CE with one user and resolves when it takes connections. */
export async function startMqttBroker(options: MqttBrokerOptions): Promise<MqttBroker> {
  const { home, signal, tools } = options;
  await ensureJars({ signal, tools });
  const classes = await ensureMqttBrokerClass({ signal, tools });
  const port = options.port ?? (await freePort());
  const websocketPort = await freePort();
  const username = options.username ?? 'factory';
  const password = options.password ?? randomBytes(18).toString('base64url');
  if (options.keep !== true) await rm(home, { recursive: true, force: true });
  await mkdir(path.join(home, 'conf'), { recursive: true });
  await mkdir(path.join(home, 'tmp'), { recursive: true });
  await writeFile(path.join(home, 'conf', 'config.xml'), configuration({ ...options, port, websocketPort }));
  const broker = await spawnPart({
    name: 'MQTT broker',
    command: tools?.java ?? 'java',
    args: [
      ...['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData'],
      `-Duser.home=${home}`,
      `-Djava.io.tmpdir=${path.join(home, 'tmp')}`,
      ...['-cp', [classes, path.join(DOWNLOADS.mqttBroker, '*')].join(path.delimiter)],
      ...['MqttBroker', home],
    ],
    home,
    // In the environment and not among the arguments, which every user of the machine may read.
    env: {
      ...process.env,
      MQTT_USERNAME: username,
      MQTT_PASSWORD: password,
      ...(options.maxInflight === undefined ? {} : { MQTT_MAX_INFLIGHT: String(options.maxInflight) }),
    },
    logFile: path.join(home, 'mqtt-broker.log'),
    graceMs: GRACE_MS,
  });
  try {
    await broker.ready(/^mqtt broker ready$/, { timeoutMs: READY_TIMEOUT_MS, signal });
  } catch (error) {
    await broker.kill();
    throw error;
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    websocketUrl: `ws://127.0.0.1:${websocketPort}/mqtt`,
    username,
    password,
    process: broker,
  };
}

function configuration(options: {
  port: number;
  websocketPort: number;
  receiveMaximum?: number;
  maxPacketBytes?: number;
  maxQueueSize?: number;
}): string {
  const { port, websocketPort, receiveMaximum = 10, maxPacketBytes = 268_435_460 } = options;
  const { maxQueueSize = MAX_QUEUE_SIZE } = options;
  return `<?xml version="1.0" encoding="UTF-8"?>
<hivemq>
  <listeners>
    <tcp-listener>
      <port>${port}</port>
      <bind-address>127.0.0.1</bind-address>
    </tcp-listener>
    <websocket-listener>
      <port>${websocketPort}</port>
      <bind-address>127.0.0.1</bind-address>
      <path>/mqtt</path>
      <subprotocols>
        <subprotocol>mqtt</subprotocol>
      </subprotocols>
    </websocket-listener>
  </listeners>
  <mqtt>
    <queued-messages>
      <max-queue-size>${maxQueueSize}</max-queue-size>
    </queued-messages>
    <receive-maximum>
      <server-receive-maximum>${receiveMaximum}</server-receive-maximum>
    </receive-maximum>
    <packets>
      <max-packet-size>${maxPacketBytes}</max-packet-size>
    </packets>
  </mqtt>
  <anonymous-usage-statistics>
    <enabled>false</enabled>
  </anonymous-usage-statistics>
</hivemq>
`;
}

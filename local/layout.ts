import path from 'node:path';

/** The clone this file belongs to. */
export const PROJECT_DIR = path.resolve(import.meta.dirname, '..');

/** Everything that is downloaded, started or stored lies in here. */
export const LOCAL_DIR = path.join(PROJECT_DIR, '.local');

/** One file per running process, whichever stack or test started it: what `npm stop` looks at first. */
export const RUN_DIR = path.join(LOCAL_DIR, 'run');

/** Downloads are shared by all stacks of the clone and outlive them. */
export const DOWNLOADS = {
  jars: path.join(LOCAL_DIR, 'lib'),
  rocketmq: path.join(LOCAL_DIR, 'lib', 'rocketmq'),
  mqttBroker: path.join(LOCAL_DIR, 'lib', 'mqtt-broker'),
  venv: path.join(LOCAL_DIR, 'venv'),
} as const;

/** Where one stack keeps what it writes. */
export interface StackLayout {
  dir: string;
  stackFile: string;
  /** The ports of the last start, for one that keeps its data. */
  portsFile: string;
  /** Homes of the parts: configuration, data and cwd of each. */
  rocketmq: string;
  mqttBroker: string;
  aws: string;
  /** Output of the packaging and deploy steps. */
  deploy: string;
  logs: string;
}

/** `npm start` uses `.local` itself; a test run gives its own folder, such as `.local/test`. */
export function layoutOf(dir: string = LOCAL_DIR): StackLayout {
  const within = (name: string) => path.join(dir, name);
  return {
    dir,
    stackFile: within('stack.json'),
    portsFile: within('ports.json'),
    rocketmq: within('rocketmq'),
    mqttBroker: within('mqtt-broker'),
    aws: within('aws'),
    deploy: within('deploy'),
    logs: within('logs'),
  };
}

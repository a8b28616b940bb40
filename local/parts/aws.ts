import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureEmulator } from '../downloads.ts';
import { LocalStackError } from '../errors.ts';
import { DOWNLOADS, PROJECT_DIR } from '../layout.ts';
import { freePort } from '../ports.ts';
import type { Tools } from '../prerequisites.ts';
import { type PartProcess, spawnPart } from '../process.ts';

export interface AwsOptions {
  /** Folder of this emulator, under `.local`: state, functions' code, logs. */
  home: string;
  /** Default: a free one. */
  port?: number;
  region?: string;
  /** Keep the state that the last orderly stop saved. Default: begin empty. */
  keep?: boolean;
  signal?: AbortSignal | undefined;
  tools?: Tools | undefined;
}

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface Aws {
  /** `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** The root user: its key passes every policy, so it is for deploying only. */
  readonly root: AwsCredentials;
  /** Where devices connect, as AWS IoT's data endpoint. */
  readonly iot: { url: string; headers: Record<string, string> };
  readonly process: PartProcess;
}

const REGION = 'eu-west-1';
const ACCOUNT_ID = '000000000000';
const READY_TIMEOUT_MS = 60_000;
const HEALTH_TIMEOUT_MS = 10_000;

/**
 * Starts MiniStack with IAM switched on, and resolves when it answers. Its environment is made from nothing: every
 * function would inherit the person's own otherwise.
 */
export async function startAws(options: AwsOptions): Promise<Aws> {
  const { home, signal, tools, region = REGION } = options;
  await ensureEmulator({ signal, tools });
  const port = options.port ?? (await freePort());
  const temporary = path.join(home, 'tmp');
  if (options.keep !== true) await rm(home, { recursive: true, force: true });
  // Copies of the functions' code; none is of use to the next process.
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  // Functions are unpacked below it and are CommonJS; without this they would take the project's own module type.
  await writeFile(path.join(temporary, 'package.json'), JSON.stringify({ type: 'commonjs' }));
  const emulator = await spawnPart({
    name: 'AWS emulator',
    command: path.join(DOWNLOADS.venv, 'bin', 'python'),
    args: ['-m', 'ministack'],
    home,
    env: {
      HOME: home,
      // Its functions run on the first `node` of the PATH, which must be the Node 24 of the packages.
      PATH: [path.join(PROJECT_DIR, 'node_modules', '.bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
      LANG: 'C.UTF-8',
      TMPDIR: temporary,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: `${port}`,
      MINISTACK_REGION: region,
      MINISTACK_ACCOUNT_ID: ACCOUNT_ID,
      AUTH: 'true',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      PERSIST_STATE: '1',
      STATE_DIR: path.join(home, 'state'),
      S3_DATA_DIR: path.join(home, 's3'),
      // Or it would look after containers in the person's Docker.
      DOCKER_HOST: `unix://${path.join(home, 'no-docker.sock')}`,
    },
    logFile: path.join(home, 'aws.log'),
  });
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await emulator.ready(/Running on http/, { timeoutMs: READY_TIMEOUT_MS, signal });
    await expectHealthy(endpoint);
  } catch (error) {
    await emulator.kill();
    throw error;
  }
  return {
    endpoint,
    region,
    accountId: ACCOUNT_ID,
    root: { accessKeyId: 'test', secretAccessKey: 'test' },
    iot: {
      url: `ws://127.0.0.1:${port}/mqtt`,
      headers: { Host: `data-ats.iot.${region}.localhost:${port}` },
    },
    process: emulator,
  };
}

/** Its answer also says whether IAM is on: without it the tests of access would prove nothing. */
async function expectHealthy(endpoint: string): Promise<void> {
  const response = await fetch(`${endpoint}/_ministack/health`, {
    signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
  });
  const health = (await response.json()) as { auth?: string };
  if (health.auth !== 'enabled') {
    throw new LocalStackError('EMULATOR_WITHOUT_AUTH', 'The AWS emulator came up without IAM checks.');
  }
}

import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { MosquittoProgram } from '../mosquitto-packages.ts';
import { freePort } from '../ports.ts';
import { type PartProcess, spawnPart } from '../process.ts';

export interface MosquittoOptions {
  program: MosquittoProgram;
  /** Folder of this broker, under `.local`: configuration, data, log. */
  home: string;
  /** Default: a free one. */
  port?: number;
  /** For each session, those beyond what is under way; 0: no limit. Default: the broker's own, 1,000. */
  maxQueuedMessages?: number;
  /** More lines of mosquitto.conf. */
  configuration?: readonly string[];
  signal?: AbortSignal | undefined;
}

export interface Mosquitto {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly process: PartProcess;
}

const READY_TIMEOUT_MS = 20_000;
const USERNAME = 'factory';
/** Mosquitto's own form of a password: PBKDF2 with SHA-512, `$7$<iterations>$<salt>$<hash>`. */
const ITERATIONS = 101;
const SALT_BYTES = 12;
const HASH_BYTES = 64;

/** Starts Mosquitto with one user and resolves when it takes connections. Begins empty. */
export async function startMosquitto(options: MosquittoOptions): Promise<Mosquitto> {
  const { program, home, signal } = options;
  const port = options.port ?? (await freePort());
  const password = randomBytes(18).toString('base64url');
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const passwordFile = path.join(home, 'passwords');
  await writeFile(passwordFile, `${USERNAME}:${hashOf(password)}\n`, { mode: 0o600 });
  const configurationFile = path.join(home, 'mosquitto.conf');
  await writeFile(configurationFile, configurationOf(options, port, passwordFile));
  // Started by root, it gives its rights up and still has to read these.
  for (const file of [passwordFile, configurationFile]) await chmod(file, 0o644);
  const broker = await spawnPart({
    name: 'Mosquitto',
    command: program.command,
    args: ['-c', configurationFile],
    home,
    env: {
      ...process.env,
      ...(program.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: program.libraryPath }),
    },
    logFile: path.join(home, 'mosquitto.log'),
  });
  try {
    await broker.ready(/mosquitto version \S+ running/, { timeoutMs: READY_TIMEOUT_MS, signal });
  } catch (error) {
    await broker.kill();
    throw error;
  }
  return { url: `mqtt://127.0.0.1:${port}`, username: USERNAME, password, process: broker };
}

function configurationOf(options: MosquittoOptions, port: number, passwordFile: string): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous false',
    `password_file ${passwordFile}`,
    'persistence false',
    'log_dest stderr',
    ...(options.maxQueuedMessages === undefined ? [] : [`max_queued_messages ${options.maxQueuedMessages}`]),
    ...(options.configuration ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

function hashOf(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const hash = pbkdf2Sync(password, salt, ITERATIONS, HASH_BYTES, 'sha512');
  return `$7$${ITERATIONS}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalStackError } from './errors.ts';
import { RUN_DIR } from './layout.ts';
import { lineIn, tail } from './log-file.ts';
import type { ProcessRecord } from './process-records.ts';

export interface PartOptions {
  /** As the person reads it: `RocketMQ`, `MQTT broker`. */
  name: string;
  command: string;
  args: readonly string[];
  /** Working folder; must exist. Lies under `.local`, by which `npm stop` knows the process. */
  home: string;
  /** Whole environment of the process. */
  env: NodeJS.ProcessEnv;
  /** Standard output and error are appended here, also after this process has ended. */
  logFile: string;
  /** How long `stop` waits between SIGTERM and SIGKILL. */
  graceMs?: number;
}

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process in a group of its own, so that a Ctrl-C in the terminal reaches it only through us. */
export interface PartProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, whatever the cause. */
  readonly exited: Promise<Exit>;
  /** Resolves when a line of its output matches; rejects when it ends before, or not within `timeoutMs`. */
  ready(line: RegExp, options: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<void>;
  /** SIGTERM, then SIGKILL after the grace; resolves when the whole group is gone. */
  stop(): Promise<void>;
  /** SIGKILL at once; resolves when the whole group is gone. */
  kill(): Promise<void>;
  /** Lets it live on when this process ends. */
  detach(): void;
}

const DEFAULT_GRACE_MS = 5_000;
const GROUP_GONE_TIMEOUT_MS = 2_000;
const GROUP_GONE_POLL_MS = 10;

/** What must not outlive this process. The net under every other way to stop: it holds for `process.exit` and crashes. */
const attached = new Set<number>();
process.on('exit', () => {
  for (const pid of attached) {
    signalGroup(pid, 'SIGKILL');
    forget(pid);
  }
});

/** Starts a program. Resolves when the system has started it, which says nothing of its being ready. */
export async function spawnPart(options: PartOptions): Promise<PartProcess> {
  await Promise.all([
    mkdir(RUN_DIR, { recursive: true }),
    mkdir(path.dirname(options.logFile), { recursive: true }),
  ]);
  const log = await open(options.logFile, 'a');
  const { size: logStart } = await log.stat();
  const child = spawn(options.command, options.args, {
    cwd: options.home,
    env: options.env,
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      forget(child.pid);
      resolve({ code, signal });
    });
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new LocalStackError(
      'START_FAILED',
      `${options.name} could not be started: ${options.command}: ${(error as Error).message}. Mend what that says, then "npm start" begins anew.`,
      { cause: error },
    );
  } finally {
    await log.close();
  }
  const pid = child.pid as number;
  if (child.exitCode === null && child.signalCode === null) remember(pid, options);

  const kill = async () => {
    signalGroup(pid, 'SIGKILL');
    await exited;
    await groupGone(pid);
  };
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    exited,
    async ready(line, { timeoutMs, signal }) {
      const ended = new AbortController();
      const timeout = AbortSignal.timeout(timeoutMs);
      const end = () => ended.abort();
      child.once('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) end();
      try {
        await lineIn(options.logFile, line, {
          from: logStart,
          signal: AbortSignal.any([ended.signal, timeout, ...(signal === undefined ? [] : [signal])]),
        });
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        if (ended.signal.aborted) throw await endedEarly(options, await exited);
        if (timeout.aborted) throw await tooSlow(options, timeoutMs);
        throw error;
      } finally {
        child.off('exit', end);
      }
    },
    async stop() {
      signalGroup(pid, 'SIGTERM');
      const grace = setTimeout(() => signalGroup(pid, 'SIGKILL'), options.graceMs ?? DEFAULT_GRACE_MS);
      await exited;
      clearTimeout(grace);
      // Its own children, such as the emulator's function workers, may not have followed.
      await kill();
    },
    kill,
    detach() {
      attached.delete(pid);
      child.unref();
    },
  };
}

/** Runs a program to its end. Fails with the tail of its output; an abort ends the program and rejects. */
export async function runCommand(
  options: PartOptions & { timeoutMs: number; signal?: AbortSignal | undefined; remedy: string },
): Promise<void> {
  options.signal?.throwIfAborted();
  const running = await spawnPart(options);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const ending = AbortSignal.any([timeout, ...(options.signal === undefined ? [] : [options.signal])]);
  const end = () => void running.stop();
  ending.addEventListener('abort', end, { once: true });
  if (ending.aborted) end();
  const exit = await running.exited;
  ending.removeEventListener('abort', end);
  if (options.signal?.aborted === true) throw options.signal.reason;
  if (exit.code === 0) return;
  const what = timeout.aborted
    ? `took longer than ${options.timeoutMs / 1000} s`
    : `failed (${describeExit(exit)})`;
  throw new LocalStackError(
    'COMMAND_FAILED',
    `${options.name} ${what}. ${options.remedy}\n  Last lines of ${options.logFile}:\n${await tail(options.logFile)}`,
  );
}

/** `exit code 1`, `ended by SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `ended by ${signal}`;
}

function remember(pid: number, { name, home, args, graceMs = DEFAULT_GRACE_MS }: PartOptions): void {
  attached.add(pid);
  const record: ProcessRecord = { pid, name, home, args, graceMs };
  writeFileSync(pidFile(pid), JSON.stringify(record));
}

function forget(pid: number | undefined): void {
  if (pid === undefined) return;
  attached.delete(pid);
  rmSync(pidFile(pid), { force: true });
}

function pidFile(pid: number): string {
  return path.join(RUN_DIR, `${pid}.json`);
}

/** Answers false when nobody is left in the group. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    // macOS says EPERM for a group of nothing but zombies.
    if (['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Grandchildren tell us nothing of their end. Bounded: where nobody collects zombies they stay in the group. */
async function groupGone(pid: number): Promise<void> {
  const deadline = Date.now() + GROUP_GONE_TIMEOUT_MS;
  while (signalGroup(pid, 0) && Date.now() < deadline) await delay(GROUP_GONE_POLL_MS);
}

async function endedEarly(options: PartOptions, exit: Exit): Promise<LocalStackError> {
  return new LocalStackError(
    'PART_ENDED',
    `${options.name} ended before it was ready (${describeExit(exit)}): mend what its last lines say, then "npm start" begins anew.\n  Last lines of ${options.logFile}:\n${await tail(options.logFile)}`,
  );
}

async function tooSlow(options: PartOptions, timeoutMs: number): Promise<LocalStackError> {
  return new LocalStackError(
    'PART_NOT_READY',
    `${options.name} was not ready within ${timeoutMs / 1000} s: is the machine busy with something else?\n  Last lines of ${options.logFile}:\n${await tail(options.logFile)}`,
  );
}

import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import type { ShiftTimes } from '../../lib/replication/shifts/shift-times.ts';
import { LOCAL_DIR, PROJECT_DIR } from '../../local/layout.ts';
import { type PartProcess, spawnPart } from '../../local/process.ts';

export interface WorkerSettings {
  kind: ShiftKind;
  /** How long one shift lasts; absent: until the process ends. */
  shiftMs?: number;
  tickMs: number;
  /** In place of those of `SHIFT_TIMES`. */
  times?: Partial<ShiftTimes>;
}

/** A line of a worker's log. */
export interface LogLine {
  message: string;
  timestamp: string;
  level: string;
  [field: string]: unknown;
}

/** A process that runs shifts. */
export interface Worker {
  readonly pid: number;
  log(): Promise<LogLine[]>;
  /** Resident memory in MiB, and CPU time used so far in ms. */
  usage(): Promise<{ residentMb: number; cpuMs: number }>;
  freeze(): void;
  thaw(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL after 10 s. */
  stop(): Promise<void>;
}

const STOP_MS = 10_000;
const READY_MS = 60_000;
const CLOCK_TICKS_PER_SECOND = 100;

/** A sandbox of a shift's function with scaled times. */
export async function startWorker(environment: NodeJS.ProcessEnv, settings: WorkerSettings): Promise<Worker> {
  const program = path.join(PROJECT_DIR, 'tests', 'trials', 'worker.ts');
  const env = { ...environment, TRIAL: JSON.stringify(settings) };
  return start(`${settings.kind} shift`, program, env, /sandbox ready/);
}

/** `npm run shift`, as it is. */
export async function startShiftProcess(environment: NodeJS.ProcessEnv): Promise<Worker> {
  const program = path.join(PROJECT_DIR, 'functions', 'shift-process.ts');
  return start('shift process', program, environment, undefined);
}

async function start(
  name: string,
  program: string,
  environment: NodeJS.ProcessEnv,
  ready: RegExp | undefined,
): Promise<Worker> {
  const home = path.join(LOCAL_DIR, 'test', 'workers');
  await mkdir(home, { recursive: true });
  const part = await spawnPart({
    name,
    command: process.execPath,
    args: ['--no-warnings', program],
    home,
    env: { PATH: process.env.PATH, ...environment },
    logFile: path.join(home, `${randomUUID()}.log`),
    graceMs: STOP_MS,
  });
  if (ready !== undefined) await part.ready(ready, { timeoutMs: READY_MS });
  return workerOf(part);
}

function workerOf(part: PartProcess): Worker {
  return {
    pid: part.pid,
    async log() {
      const text = await readFile(part.logFile, 'utf8');
      return text.split('\n').flatMap((line) => parse(line));
    },
    async usage() {
      const [status, stat] = await Promise.all([
        readFile(`/proc/${part.pid}/status`, 'utf8'),
        readFile(`/proc/${part.pid}/stat`, 'utf8'),
      ]);
      const kb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
      // utime and stime, the 14th and 15th field; the second one, a name in brackets, may have blanks.
      const [utime, stime] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13);
      const cpuMs = ((Number(utime) + Number(stime)) * 1_000) / CLOCK_TICKS_PER_SECOND;
      return { residentMb: kb / 1_024, cpuMs };
    },
    freeze: () => process.kill(part.pid, 'SIGSTOP'),
    thaw: () => process.kill(part.pid, 'SIGCONT'),
    kill: () => part.kill(),
    stop: () => part.stop(),
  };
}

function parse(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    // What Node itself says is not of ours.
    return line === '' ? [] : [{ message: line, timestamp: '', level: 'RAW' }];
  }
}

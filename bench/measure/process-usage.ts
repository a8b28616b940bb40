import { readFile } from 'node:fs/promises';

/** What Linux says of a process. */
export interface ProcessUsage {
  /** User and system time of all its threads, in microseconds. */
  cpuMicros: number;
  /** Most resident memory so far, in MiB. */
  peakMegabytes: number;
}

/** `USER_HZ`: 100 on every architecture that Node runs on. */
const MICROS_PER_TICK = 10_000;

/** Reads `/proc`, so it works on Linux only. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name, in parentheses, may hold blanks; `utime` and `stime` are the fields 14 and 15 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const peakKilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { cpuMicros: ticks * MICROS_PER_TICK, peakMegabytes: peakKilobytes / 1_024 };
}

import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** A running process of this user. */
export interface ProcessEntry {
  pid: number;
  /** Its arguments; where the system tells only one line, split at spaces. */
  command: readonly string[];
  /** Unknown on systems without /proc. */
  cwd?: string;
}

const run = promisify(execFile);

/** All processes of this user, or the one asked for. */
export async function listProcesses(only?: number): Promise<ProcessEntry[]> {
  if (process.platform !== 'linux') return await listByPs(only);
  const pids =
    only === undefined ? (await readdir('/proc')).filter((name) => /^\d+$/.test(name)) : [`${only}`];
  const entries = await Promise.all(pids.map((pid) => readProcess(Number(pid))));
  return entries.filter((entry) => entry !== undefined);
}

/**
 * Whether a process was started by this project for `dir`: it works in there, or its command line names a path in
 * there, and it is one of the programs that we start. A shell or a pager that someone left in the folder is not ours.
 */
export function belongsTo(dir: string, entry: ProcessEntry): boolean {
  const program = path.basename(entry.command[0] ?? '');
  if (!/^(java|node|python[\d.]*)$/i.test(program)) return false;
  if (entry.cwd !== undefined && isWithin(dir, entry.cwd)) return true;
  return entry.command.some((argument) => argument.includes(`${dir}${path.sep}`) || argument.endsWith(dir));
}

function isWithin(dir: string, candidate: string): boolean {
  return candidate === dir || candidate.startsWith(`${dir}${path.sep}`);
}

async function readProcess(pid: number): Promise<ProcessEntry | undefined> {
  const folder = `/proc/${pid}`;
  try {
    if ((await stat(folder)).uid !== process.getuid?.()) return undefined;
    const command = (await readFile(`${folder}/cmdline`, 'utf8')).split('\0').filter((part) => part !== '');
    // A process that ended and waits to be collected has no command line.
    if (command.length === 0) return undefined;
    return { pid, command, cwd: await readlink(`${folder}/cwd`) };
  } catch {
    // It ended between the listing and the look, or is not ours to look at: either way not one of our parts.
    return undefined;
  }
}

async function listByPs(only?: number): Promise<ProcessEntry[]> {
  const selection = only === undefined ? ['-u', `${process.getuid?.()}`] : ['-p', `${only}`];
  const { stdout } = await run('ps', ['-ww', '-o', 'pid=,command=', ...selection]).catch(() => ({
    stdout: '',
  }));
  return stdout.split('\n').flatMap((line) => {
    const [pid, ...command] = line.trim().split(/\s+/);
    return pid === undefined || pid === '' ? [] : [{ pid: Number(pid), command }];
  });
}

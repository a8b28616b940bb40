import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How large a file of a running process may become (`prlimit`, Linux): what lies beyond it fails as on a full disk. */
export async function setFileSizeLimit(pid: number, bytes: number | 'unlimited'): Promise<void> {
  await run('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:`]);
}

import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalStackError } from './errors.ts';

const RETRY_MS = 200;

/**
 * Runs `work` while no other process runs under the same lock file. A lock whose holder is dead is taken over; a living
 * holder is waited for, at most `timeoutMs`.
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (!(await take(file))) {
    await removeIfStale(file);
    if (Date.now() > deadline) {
      throw new LocalStackError(
        'LOCKED',
        `Another process has held ${file} for ${timeoutMs / 1000} s: end it, or delete the file if there is none.`,
      );
    }
    await delay(RETRY_MS, undefined, signal === undefined ? {} : { signal });
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`${process.pid}`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfStale(file: string): Promise<void> {
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  // Empty for the moment between its making and its first byte.
  if (holder === 0) return;
  try {
    process.kill(holder, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') await rm(file, { force: true });
  }
}

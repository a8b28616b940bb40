/** `npm stop`: ends every process that this clone's `npm start` or tests left running, however they were left. */

import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LOCAL_DIR, layoutOf } from './layout.ts';
import { runningRecords, STARTER } from './process-records.ts';
import { belongsTo, listProcesses } from './process-table.ts';

const STARTER_TIMEOUT_MS = 20_000;
const GRACE_MS = 10_000;
const KILL_TIMEOUT_MS = 5_000;
const POLL_MS = 50;

process.exitCode = await stop();

async function stop(): Promise<number> {
  const records = await runningRecords();
  // First whoever watches over parts: it ends them in order, and would call it a crash if they went before.
  const starters = records.filter(({ name }) => name === STARTER).map(({ pid }) => pid);
  signalAll(starters, 'SIGTERM');
  await untilGone(starters, STARTER_TIMEOUT_MS);

  const names = new Map(records.map(({ pid, name }) => [pid, name]));
  const left = await oursRunning();
  signalAll(left, 'SIGTERM');
  await untilGone(left, GRACE_MS);
  const stubborn = await oursRunning();
  signalAll(stubborn, 'SIGKILL');
  await untilGone(stubborn, KILL_TIMEOUT_MS);
  await rm(layoutOf().stackFile, { force: true });

  const remaining = await oursRunning();
  if (remaining.length > 0) {
    console.error(`These processes could not be ended: ${remaining.join(', ')}.`);
    return 1;
  }
  const ended = [...new Set([...starters, ...left])].map((pid) => names.get(pid) ?? `process ${pid}`);
  console.log(ended.length === 0 ? 'Nothing was running.' : `Stopped: ${ended.join(', ')}.`);
  return 0;
}

/** Pids by the pid files, and by what works in `.local` or was started from there. */
async function oursRunning(): Promise<number[]> {
  const recorded = (await runningRecords()).map(({ pid }) => pid);
  const found = (await listProcesses()).filter((entry) => belongsTo(LOCAL_DIR, entry)).map(({ pid }) => pid);
  return [...new Set([...recorded, ...found])].filter((pid) => pid !== process.pid);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It ended by itself meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** They are no children of ours, so no event tells when they end. */
async function untilGone(pids: readonly number[], timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (const pid of pids) {
    while (Date.now() < deadline && (await listProcesses(pid)).length > 0) await delay(POLL_MS);
  }
}

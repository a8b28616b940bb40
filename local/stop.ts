/** `npm stop`: ends every process that this clone's `npm start` or tests left running, however they were left. */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LOCAL_DIR, layoutOf } from './layout.ts';
import { runningRecords, STARTER } from './process-records.ts';
import { belongsTo, listProcesses } from './process-table.ts';

/** For what no pid file speaks of: workers and parts whose starter was killed at a bad moment. */
const STRAY_GRACE_MS = 2_000;

const KILL_TIMEOUT_MS = 5_000;
const POLL_MS = 50;

process.exitCode = await stop();

async function stop(): Promise<number> {
  const records = await runningRecords();
  // First whoever watches over parts: it ends them in order, and would call it a crash if they went before.
  const starters = records.filter(({ name }) => name === STARTER);
  await Promise.all(starters.map(({ pid, graceMs }) => end(pid, graceMs)));
  const parts = await runningRecords();
  await Promise.all(parts.map(({ pid, graceMs }) => end(pid, graceMs)));
  const strays = await findStrays();
  await Promise.all(strays.map((pid) => end(pid, STRAY_GRACE_MS)));
  await rm(layoutOf().stackFile, { force: true });

  const remaining = await findStrays();
  if (remaining.length > 0) {
    console.error(`These processes could not be ended: ${remaining.join(', ')}.`);
    return 1;
  }
  const ended = records.map(({ name }) => name);
  if (strays.length > 0) ended.push(`${strays.length} without a pid file`);
  console.log(ended.length === 0 ? 'Nothing was running.' : `Stopped: ${ended.join(', ')}.`);
  return 0;
}

/** Processes that work in `.local` or were started from there. */
async function findStrays(): Promise<number[]> {
  const entries = await listProcesses();
  return entries
    .filter((entry) => entry.pid !== process.pid && belongsTo(LOCAL_DIR, entry))
    .map(({ pid }) => pid);
}

async function end(pid: number, graceMs: number): Promise<void> {
  send(pid, 'SIGTERM');
  if (await isGoneWithin(pid, graceMs)) return;
  send(pid, 'SIGKILL');
  await isGoneWithin(pid, KILL_TIMEOUT_MS);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** It is no child of ours, so no event tells when it ends. */
async function isGoneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while ((await listProcesses(pid)).length > 0) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * `npm run faults [--long] [name…]`: the deployed service on real parts, all four pairs side by side, through everything that
 * goes wrong. Without names: all of them, about half an hour, and `docs/faults.md` is written. Fails when a promise is missed.
 */
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_DIR } from '../../local/layout.ts';
import { FAULTS } from './catalog/catalog.ts';
import { describeFaultRows, writeDocument } from './document.ts';
import { openPairs, type Pair } from './pairs.ts';
import type { FaultRow } from './row.ts';
import { runFault } from './run-fault.ts';
import { openFaultStage } from './stage.ts';
import { watchStatus } from './status-watch.ts';

const PER_SECOND = 100;
const say = (text: string) => process.stdout.write(`${text}\n`);

/** RocketMQ takes both processors for its first half minute of work. */
const WARM_UP_MS = 40_000;

const words = process.argv.slice(2);
const isLong = words.includes('--long');
const wanted = words.filter((word) => word !== '--long');
const unknown = wanted.filter((name) => !FAULTS.some((fault) => fault.name === name));
if (unknown.length > 0) {
  say(`No such fault: ${unknown.join(', ')}. There are ${FAULTS.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const chosen = FAULTS.filter((fault) =>
  wanted.length > 0 ? wanted.includes(fault.name) : isLong || fault.isLong !== true,
);

const rows: FaultRow[] = [];
const broken: string[] = [];
const stage = await openFaultStage();
try {
  const pairs = await openPairs(stage, PER_SECOND);
  const watch = watchStatus(
    stage.getTask,
    pairs.map(({ taskId }) => taskId),
  );
  try {
    await warmUp(pairs);
    for (const fault of chosen) {
      const beganMs = Date.now();
      const seen = await runFault(fault, { stage, pairs, watch, perSecond: PER_SECOND });
      rows.push(...seen);
      say(`\n${describeFaultRows(seen)}\n(${fault.name}: ${Math.round((Date.now() - beganMs) / 1_000)} s)`);
    }
  } catch (error) {
    // What cannot be gone on with is told like a promise that was missed.
    broken.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await watch.close();
    await Promise.all(pairs.map((pair) => pair.close()));
  }
} finally {
  await stage.close();
}
for (const text of broken) say(`\nBroke off: ${text}`);
const missed = rows.filter((row) => row.missed.length > 0);
const isWhole = wanted.length === 0 && broken.length === 0;
if (isWhole) {
  await writeDocument(path.join(PROJECT_DIR, 'docs', 'faults.md'), {
    rows,
    faults: chosen,
    machine: `${cpus().length} processors`,
  });
}
say(
  `\n${rows.length} rows, ${missed.length} with a promise missed${isWhole ? '; docs/faults.md is written' : ''}`,
);
process.exit(missed.length === 0 && broken.length === 0 ? 0 : 1);

async function warmUp(pairs: readonly Pair[]): Promise<void> {
  for (const { source } of pairs) source.start(PER_SECOND);
  await delay(WARM_UP_MS);
  await Promise.all(pairs.map(({ source }) => source.pause()));
}

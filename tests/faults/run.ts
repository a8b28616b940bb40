/**
 * `npm run faults [--long] [name…]`: the deployed service on real parts, all four pairs side by side, through everything that
 * goes wrong. Without names: all of them, about half an hour, or with `--long` those that last. What each has shown goes into
 * `docs/faults.md`, in the place of what it had shown before. Fails when a promise is missed.
 */
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_DIR } from '../../local/layout.ts';
import { quickJavaOptions } from '../helpers/quick-java.ts';
import { FAULTS } from './catalog/catalog.ts';
import {
  describeFaultRows,
  describeMemory,
  describeOutages,
  LONG_SUITE,
  type Seen,
  SUITE,
  writeDocument,
} from './document.ts';
import { eighteenSeconds } from './eighteen-seconds.ts';
import {
  EIGHTEEN_SECONDS,
  isOurLoss,
  OUTAGE_FAULT,
  type OutageResult,
  outageOfRulePath,
} from './eighteen-seconds-figures.ts';
import { estimateMs, OUTAGE_COSTS_MS } from './estimate.ts';
import type { Fault } from './fault.ts';
import type { MemoryRow } from './memory-watch.ts';
import { openPairs, type Pair } from './pairs.ts';
import { NOT_RUNNING } from './promises.ts';
import type { FaultRow } from './row.ts';
import { runFault, untilAllThere } from './run-fault.ts';
import { type FaultStage, openFaultStage } from './stage.ts';
import { watchStatus } from './status-watch.ts';

const PER_SECOND = 100;
const say = (text: string) => process.stdout.write(`${text}\n`);

/**
 * RocketMQ takes both processors for its first half minute of work, and answers the first sends late: a few messages first, or what
 * follows goes through the queues of tasks, at the emulator's pace.
 */
const WARM_UP = [
  { perSecond: PER_SECOND / 10, lastsMs: 15_000 },
  { perSecond: PER_SECOND, lastsMs: 25_000 },
];

// Beside one of the faults it needs a broker of its own, and has peers.
const NAMES = [...FAULTS.map(({ name }) => name), EIGHTEEN_SECONDS];

const words = process.argv.slice(2);
const isLong = words.includes('--long');
const wanted = words.filter((word) => word !== '--long');
const unknown = wanted.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  say(`No such fault: ${unknown.join(', ')}. There are ${NAMES.join(', ')}.`);
  process.exit(2);
}
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
const hasOutage = wanted.length > 0 ? isWanted(EIGHTEEN_SECONDS) : !isLong;
const chosen = FAULTS.filter(
  ({ name, isLong: lasts = false }) =>
    (wanted.length > 0 ? isWanted(name) : lasts === isLong) || (hasOutage && name === OUTAGE_FAULT),
);
const expectedMs = estimateMs(chosen) + (hasOutage ? OUTAGE_COSTS_MS : 0);
const peers = hasOutage ? ', and the peers' : '';
say(`${chosen.length} faults${peers}: about ${Math.ceil(expectedMs / 60_000)} minutes`);

const rows: FaultRow[] = [];
const memory: MemoryRow[] = [];
let outages: OutageResult[] = [];
let broken: string | undefined;
try {
  if (chosen.length > 0) await runAll();
  if (hasOutage) {
    outages = [...outageOfRulePath(rows), ...(await eighteenSeconds())];
    say(`\n${EIGHTEEN_SECONDS}\n${describeOutages(outages)}`);
    await write(SUITE, { faults: [], rows: [], memory: [], outages });
  }
} catch (error) {
  // What cannot be gone on with is told like a promise that was missed.
  broken = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say(`\nBroke off: ${broken}`);
}
const missed =
  [...rows, ...memory].filter((row) => row.missed.length > 0).length + outages.filter(isOurLoss).length;
say(
  `\n${rows.length + memory.length + outages.length} rows, ${missed} with a promise missed; docs/faults.md has them`,
);
process.exit(missed === 0 && broken === undefined ? 0 : 1);

/** After each fault: a run that breaks off has shown what it has shown. */
async function write(suite: typeof SUITE | typeof LONG_SUITE, seen: Omit<Seen, 'machine'>) {
  await writeDocument(
    path.join(PROJECT_DIR, 'docs', 'faults.md'),
    suite,
    FAULTS.filter((fault) => suiteOf(fault) === suite).map(({ name }) => name),
    { ...seen, machine: `${cpus().length} processors` },
  );
}

function suiteOf({ isLong: lasts = false }: Fault) {
  return lasts ? LONG_SUITE : SUITE;
}

/** The chosen faults, one after the other, on one stage. */
async function runAll(): Promise<void> {
  // What is started again and again is measured, and not the optimising compiler of its first minute; peers keep theirs.
  const given = process.env.JAVA_TOOL_OPTIONS;
  process.env.JAVA_TOOL_OPTIONS = quickJavaOptions(given);
  const stage = await openFaultStage();
  try {
    let crew = await openCrew(stage);
    try {
      for (const fault of chosen) {
        const beganMs = Date.now();
        const seen = await runFault(fault, { stage, ...crew, perSecond: PER_SECOND });
        rows.push(...seen.rows);
        memory.push(...seen.memory);
        await write(suiteOf(fault), { faults: [fault], ...seen, outages: [] });
        const described = [describeFaultRows(seen.rows), describeMemory(seen.memory)].filter(Boolean);
        say(`\n${described.join('\n')}\n(${fault.name}: ${Math.round((Date.now() - beganMs) / 1_000)} s)`);
        if (seen.rows.every(isUnharmed) || fault === chosen.at(-1)) continue;
        say(
          'What it has left behind is not to be found again in the next ones: new tasks, sources and readers.',
        );
        await crew.close();
        await Promise.all(crew.pairs.map(({ taskId }) => stage.api('POST', `/tasks/${taskId}/pause`)));
        crew = await openCrew(stage);
      }
    } finally {
      await crew.close();
    }
  } finally {
    await stage.close();
    if (given === undefined) delete process.env.JAVA_TOOL_OPTIONS;
    else process.env.JAVA_TOOL_OPTIONS = given;
  }
}

/** A task of each pair with what feeds and reads it, and who looks at its status. */
async function openCrew(stage: FaultStage) {
  const pairs = await openPairs(stage, PER_SECOND);
  const watch = watchStatus(
    stage.getTask,
    pairs.map(({ taskId }) => taskId),
  );
  let closing: Promise<unknown> | undefined;
  const close = async () => {
    closing ??= watch.close().then(() => Promise.all(pairs.map((pair) => pair.close())));
    await closing;
  };
  try {
    await warmUp(pairs);
    return { pairs, watch, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The task runs, and its reader has what it has carried. */
function isUnharmed({ lost, missed }: FaultRow): boolean {
  return lost === 0 && !missed.includes(NOT_RUNNING);
}

async function warmUp(pairs: readonly Pair[]): Promise<void> {
  for (const { perSecond, lastsMs } of WARM_UP) {
    for (const { source } of pairs) source.start(perSecond);
    await delay(lastsMs);
    await Promise.all(pairs.map(({ source }) => source.pause()));
  }
  await Promise.all(pairs.map((pair) => untilAllThere(pair)));
}

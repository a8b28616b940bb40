/**
 * `npm run exactness [messages]`: the deployed service on real parts, and its figures beside what others have counted: publishers,
 * a Java consumer, an MQTT subscriber, the listed dead letters. 100,000 messages through each path unless told otherwise, with planted
 * failures and redeliveries; then killed functions, and faults planted into the counting, which the balance must tell. About half an
 * hour. Fails when a figure is not what it must be. With 100,000 or more, what was seen is written into `docs/exactness.md`.
 */
import { cpus } from 'node:os';
import path from 'node:path';
import { PROJECT_DIR } from '../../local/layout.ts';
import { openFaultStage } from '../faults/stage.ts';
import { quickJavaOptions } from '../helpers/quick-java.ts';
import { writeSection } from '../helpers/written-section.ts';
import { createRows, describeRows, markdownRows, type Row, type Rows } from '../trials/rows.ts';
import { compareBalances } from './compare-balances.ts';
import { compareTotals } from './compare-totals.ts';
import { openPath } from './paths.ts';
import { DEBUG_LINES, forgetLines } from './samples.ts';

const PATHS = ['rule', 'session', 'pull'] as const;

const WHOLE = 100_000;

const messages = Number(process.argv[2] ?? WHOLE);
if (!Number.isInteger(messages) || messages < 1_000) {
  say('How many messages through each path? A number from 1,000 on.');
  process.exit(2);
}
process.env.JAVA_TOOL_OPTIONS = quickJavaOptions(process.env.JAVA_TOOL_OPTIONS);
const told: Row[] = [];
let broken = false;
await forgetLines();
const stage = await openFaultStage(DEBUG_LINES);
try {
  const paths = await Promise.all(PATHS.map((path) => openPath(path, stage, { isWitnessed: true })));
  try {
    await compareTotals(stage, paths, { messages, part });
    await compareBalances(stage, paths, part);
  } finally {
    await Promise.all(paths.map((one) => one.close()));
  }
} catch (error) {
  // Like a figure that is wrong.
  broken = true;
  say(`\nBroke off: ${error instanceof Error ? error.stack : error}`);
} finally {
  await stage.close();
}
if (!broken && messages >= WHOLE) {
  const at = `Seen on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} processors, ${messages} messages through each path.`;
  const file = path.join(PROJECT_DIR, 'docs', 'exactness.md');
  await writeSection(file, 'exactness', `${at}\n\n${markdownRows(told)}`);
}
const missed = told.filter(({ isGood }) => !isGood);
say(`\n${told.length} lines, ${missed.length} missed${broken ? ', broken off' : ''}`);
process.exit(missed.length === 0 && !broken ? 0 : 1);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What it has told is shown, even where it breaks off. */
async function part(name: string, work: (rows: Rows) => Promise<void>): Promise<void> {
  const rows = createRows(name);
  const beganMs = Date.now();
  try {
    await work(rows);
  } finally {
    told.push(...rows.rows);
    say(`\n${describeRows(rows.rows)}\n(${name}: ${Math.round((Date.now() - beganMs) / 1_000)} s)`);
  }
}

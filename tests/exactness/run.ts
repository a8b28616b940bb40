/**
 * `npm run exactness [messages]`: the deployed service on real parts, and its figures beside what others have counted: publishers,
 * a Java consumer, an MQTT subscriber, the listed dead letters. 100,000 messages through each path unless told otherwise, with planted
 * failures and redeliveries; then killed functions, and faults planted into the counting, which the balance must tell. About half an
 * hour. Fails when a figure is not what it must be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { killAll } from '../faults/catalog/processes.ts';
import { handOverTwice, loseAcknowledgements } from '../faults/catalog/repeated.ts';
import { openFaultStage } from '../faults/stage.ts';
import { quickJavaOptions } from '../helpers/quick-java.ts';
import { createRows, describeRows, type Row, type Rows } from '../trials/rows.ts';
import { type AskBalance, openBalances } from './balances.ts';
import { type ExactPath, openPath } from './paths.ts';
import { type Bug, plantedBugs } from './planted-bugs.ts';
import {
  listedDeadLetters,
  metricsOf,
  settledMetrics,
  tellExact,
  tellLatencies,
  tellRepeated,
} from './totals.ts';

const PATHS = ['rule', 'session', 'pull'] as const;
const BUGS: readonly Bug[] = ['lost update', 'double count'];
const MINUTE_MS = 60_000;
/** Slow enough for all nine tasks on two processors. */
const PER_SECOND = 10;
/** A fault must be told within that. */
const TOLD_MS = 8 * MINUTE_MS;
/** After the kill: until the minute after the leases have gone over is among those compared. */
const COMPARED_MS = 9 * MINUTE_MS;
const POLL_MS = 5_000;

const messages = Number(process.argv[2] ?? 100_000);
if (!Number.isInteger(messages) || messages < 1_000) {
  say('How many messages through each path? A number from 1,000 on.');
  process.exit(2);
}
process.env.JAVA_TOOL_OPTIONS = quickJavaOptions(process.env.JAVA_TOOL_OPTIONS);
const told: Row[] = [];
const stage = await openFaultStage();
try {
  const paths = await Promise.all(PATHS.map((path) => openPath(path, stage, { isWitnessed: true })));
  try {
    await compareTotals(paths);
    await compareBalances(paths);
  } finally {
    await Promise.all(paths.map((one) => one.close()));
  }
} finally {
  await stage.close();
}
const missed = told.filter(({ isGood }) => !isGood);
say(`\n${told.length} lines, ${missed.length} missed`);
process.exit(missed.length === 0 ? 0 : 1);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function part(name: string, work: (rows: Rows) => Promise<void>): Promise<void> {
  const rows = createRows(name);
  const beganMs = Date.now();
  await work(rows);
  told.push(...rows.rows);
  say(`\n${describeRows(rows.rows)}\n(${name}: ${Math.round((Date.now() - beganMs) / 1_000)} s)`);
}

/** Half of the messages as they come, half of them with some given twice. */
async function compareTotals(paths: readonly ExactPath[]): Promise<void> {
  const half = Math.floor(messages / 2);
  await part('planted failures', async (rows) => {
    await Promise.all(paths.map(({ source }) => source.publish(half)));
    for (const one of paths) {
      const metrics = await settledMetrics(stage.api, one);
      tellExact(rows, one, metrics, await listedDeadLetters(stage.api, one.taskId));
      tellLatencies(rows, one, metrics);
    }
  });
  await part('and redeliveries', async (rows) => {
    await Promise.all([...paths.map(({ source }) => source.publish(messages - half)), giveTwice(paths)]);
    for (const one of paths) {
      const metrics = await settledMetrics(stage.api, one);
      tellRepeated(rows, one, metrics, await listedDeadLetters(stage.api, one.taskId));
    }
  });
}

async function giveTwice(paths: readonly ExactPath[]): Promise<void> {
  for (const side of ['clients', 'broker'] as const) await loseAcknowledgements(stage, side);
  for (const one of paths) if (one.path === 'rule') await handOverTwice(stage, one);
}

/** Functions are killed; when that is past, faults are planted beside tasks without one. */
async function compareBalances(paths: readonly ExactPath[]): Promise<void> {
  const flawed = await openFlawed();
  const balances = openBalances(stage);
  const stop = new AbortController();
  const all = [...paths, ...flawed.map(({ one }) => one)];
  const publishing = Promise.all(all.map(({ source }) => source.publishSteadily(PER_SECOND, stop.signal)));
  try {
    await part('kill -9', (rows) => killed(rows, paths, balances.ask));
    await part('planted faults', (rows) => planted(rows, { flawed, sound: paths, ask: balances.ask }));
  } finally {
    stop.abort();
    stage.relays.table.heal();
    await publishing;
    balances.close();
    await Promise.all(flawed.map(({ one }) => one.close()));
  }
}

interface Flawed {
  one: ExactPath;
  bug: Bug;
}

async function openFlawed(): Promise<Flawed[]> {
  const wanted = BUGS.flatMap((bug) => PATHS.map((path) => ({ bug, path })));
  return Promise.all(
    wanted.map(async ({ bug, path }) => ({ bug, one: await openPath(path, stage, { isWitnessed: false }) })),
  );
}

/** Every process of each path in the middle of its stream; the balance of later minutes holds, and says what counts twice. */
async function killed(rows: Rows, paths: readonly ExactPath[], ask: AskBalance): Promise<void> {
  await delay(2 * MINUTE_MS);
  await Promise.all(paths.map(({ path }) => killAll(stage, path)));
  await delay(COMPARED_MS);
  for (const one of paths) {
    const balance = await ask(one);
    const { totals, balance: shown } = await metricsOf(stage.api, one.taskId);
    rows.expect(
      `${one.path}: balanced, by ${balance.witness}, over ${balance.minutes?.compared ?? 0} minutes`,
      'true',
      `${balance.balanced}, ${balance.difference} of ${balance.witnessed} (≤ ${balance.tolerance})`,
      balance.balanced && balance.witness !== 'none' && balance.witnessed > 0,
    );
    rows.tell(`${one.path}: counted twice`, shown.countedTwice);
    rows.tell(`${one.path}: consumed − published`, totals.consumed - one.source.accepted);
  }
}

/** A fault is told within eight minutes, and only where there is one. */
async function planted(
  rows: Rows,
  { flawed, sound, ask }: { flawed: readonly Flawed[]; sound: readonly ExactPath[]; ask: AskBalance },
): Promise<void> {
  for (const { one, bug } of flawed) {
    const { balanced, difference } = await ask(one);
    rows.expect(`${one.path}, before “${bug}”: balanced`, 'true', `${balanced}, ${difference}`, balanced);
  }
  stage.relays.table.tamper(plantedBugs(new Map(flawed.map(({ one, bug }) => [one.taskId, bug]))));
  const plantedMs = Date.now();
  const red = new Map<Flawed, { afterMs: number; difference: number }>();
  while (red.size < flawed.length && Date.now() - plantedMs < TOLD_MS) {
    for (const each of flawed) {
      if (red.has(each)) continue;
      const { balanced, difference } = await ask(each.one);
      if (!balanced) red.set(each, { afterMs: Date.now() - plantedMs, difference });
    }
    await delay(POLL_MS);
  }
  for (const each of flawed) {
    const seen = red.get(each);
    rows.expect(
      `${each.one.path}, ${each.bug}: red`,
      `≤ ${TOLD_MS / 1_000} s`,
      seen === undefined ? 'never' : `after ${Math.round(seen.afterMs / 1_000)} s, by ${seen.difference}`,
      seen !== undefined,
    );
  }
  for (const one of sound) {
    const { balanced, difference, tolerance } = await ask(one);
    rows.expect(
      `${one.path}, without: balanced`,
      'true',
      `${balanced}, ${difference} (≤ ${tolerance})`,
      balanced,
    );
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { killAll } from '../faults/catalog/processes.ts';
import type { FaultStage } from '../faults/stage.ts';
import type { Rows } from '../trials/rows.ts';
import { type AskBalance, openBalances } from './balances.ts';
import type { Part } from './compare-totals.ts';
import { type ExactPath, openPath } from './paths.ts';
import { type Bug, plantedBugs } from './planted-bugs.ts';
import { metricsInTheEnd, metricsOf, type ShownBalance, tellKilled } from './totals.ts';

const BUGS: readonly Bug[] = ['lost update', 'double count'];
const MINUTE_MS = 60_000;
/** Slow enough for all nine tasks on two processors. */
const PER_SECOND = 10;
/** A fault must be told within that. */
const TOLD_MS = 8 * MINUTE_MS;
/** After the kill: until the minute after the leases have gone over is among those compared. */
const COMPARED_MS = 9 * MINUTE_MS;
const POLL_MS = 5_000;

interface Flawed {
  one: ExactPath;
  bug: Bug;
}

/** Functions are killed; when that is past, faults are planted beside tasks without one. */
export async function compareBalances(
  stage: FaultStage,
  paths: readonly ExactPath[],
  part: Part,
): Promise<void> {
  const flawed = await openFlawed(stage, paths);
  const balances = openBalances(stage);
  const stop = new AbortController();
  const publishing = [...paths, ...flawed.map(({ one }) => one)].map((one) => ({
    one,
    // Whatever it was: told when the publishing is looked at.
    ended: one.source.publishSteadily(PER_SECOND, stop.signal).then(
      () => undefined,
      (error: unknown) => `${error}`,
    ),
  }));
  try {
    await part('kill -9', (rows) => killed(rows, stage, paths, balances.ask));
    await part('planted faults', (rows) => planted(rows, { stage, flawed, sound: paths, ask: balances.ask }));
    stop.abort();
    stage.relays.table.heal();
    await part('in the end', async (rows) => {
      for (const { one, ended } of publishing) {
        const fault = await ended;
        rows.expect(`${one.path}: published to the end`, 'true', fault ?? 'true', fault === undefined);
      }
      for (const one of paths) tellKilled(rows, one, await metricsInTheEnd(stage.api, one));
    });
  } finally {
    stop.abort();
    stage.relays.table.heal();
    await Promise.all(publishing.map(({ ended }) => ended));
    balances.close();
    await Promise.all(flawed.map(({ one }) => one.close()));
  }
}

async function openFlawed(stage: FaultStage, paths: readonly ExactPath[]): Promise<Flawed[]> {
  const wanted = BUGS.flatMap((bug) => paths.map(({ path }) => ({ bug, path })));
  return Promise.all(
    wanted.map(async ({ bug, path }) => ({ bug, one: await openPath(path, stage, { isWitnessed: false }) })),
  );
}

/** Every process of each path in the middle of its stream; the balance of later minutes holds, and says what counts twice. */
async function killed(
  rows: Rows,
  stage: FaultStage,
  paths: readonly ExactPath[],
  ask: AskBalance,
): Promise<void> {
  await delay(2 * MINUTE_MS);
  await Promise.all(paths.map(({ path }) => killAll(stage, path)));
  await delay(COMPARED_MS);
  for (const one of paths) {
    const balance = await ask(one);
    expectBalanced(rows, `${one.path}: balanced over ${balance.minutes} minutes`, balance);
    const { countedTwice } = (await metricsOf(stage.api, one.taskId)).balance;
    rows.tell(`${one.path}: counted twice, as it says`, countedTwice);
  }
}

/** Somebody else has counted as well, has counted some, and agrees. */
function expectBalanced(rows: Rows, what: string, balance: ShownBalance): void {
  const { balanced, witness, witnessed, difference, tolerance } = balance;
  rows.expect(
    what,
    'true',
    `${balanced}, by ${witness}: ${difference} of ${witnessed} (≤ ${tolerance})`,
    balanced && witness !== 'none' && witnessed > 0,
  );
}

/** A fault is told within eight minutes, and only where there is one. */
async function planted(
  rows: Rows,
  options: { stage: FaultStage; flawed: readonly Flawed[]; sound: readonly ExactPath[]; ask: AskBalance },
): Promise<void> {
  const { stage, flawed, sound, ask } = options;
  for (const { one, bug } of flawed) {
    expectBalanced(rows, `${one.path}, before “${bug}”: balanced`, await ask(one));
  }
  stage.relays.table.tamper(plantedBugs(new Map(flawed.map(({ one, bug }) => [one.taskId, bug]))));
  const seen = await untilTold(flawed, ask);
  for (const each of flawed) {
    const told = seen.get(each);
    rows.expect(
      `${each.one.path}, ${each.bug}: red`,
      `≤ ${TOLD_MS / 1_000} s`,
      told === undefined ? 'never' : `after ${Math.round(told.afterMs / 1_000)} s, by ${told.difference}`,
      told !== undefined,
    );
  }
  for (const one of sound) expectBalanced(rows, `${one.path}, without: balanced`, await ask(one));
}

async function untilTold(
  flawed: readonly Flawed[],
  ask: AskBalance,
): Promise<Map<Flawed, { afterMs: number; difference: number }>> {
  const beganMs = Date.now();
  const told = new Map<Flawed, { afterMs: number; difference: number }>();
  while (told.size < flawed.length && Date.now() - beganMs < TOLD_MS) {
    for (const each of flawed) {
      if (told.has(each)) continue;
      const { balanced, difference } = await ask(each.one);
      if (!balanced) told.set(each, { afterMs: Date.now() - beganMs, difference });
    }
    await delay(POLL_MS);
  }
  return told;
}

import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../helpers/eventually.ts';
import type { Fault } from './fault.ts';
import type { Pair } from './pairs.ts';
import {
  compareSince,
  DEGRADED_MS,
  describeSaid,
  type FaultRow,
  type Mark,
  markOf,
  RECOVERY_MS,
  seconds,
} from './row.ts';
import type { FaultStage } from './stage.ts';
import type { StatusWatch } from './status-watch.ts';

const BEFORE_MS = 3_000;
const AFTER_MS = 6_000;
const FLOWS_MS = 60_000;
const RECOVERED_MS = 200_000;
/** With nothing more for so long, nothing more comes. */
const QUIET_MS = 60_000;
const ALL_THERE_MS = 20 * 60_000;
const HEALED_MS = 90_000;
/** Of the arrivals, the last so many: the first after an outage is among them, a moment later. */
const LOOKED_AT = 5_000;

export interface RunOptions {
  stage: FaultStage;
  pairs: readonly Pair[];
  watch: StatusWatch;
  perSecond: number;
}

/** Lets all pairs work, makes something go wrong, and looks what came of each message. */
export async function runFault(
  fault: Fault,
  { stage, pairs, watch, perSecond }: RunOptions,
): Promise<FaultRow[]> {
  const rate = fault.perSecond ?? perSecond;
  await untilHealthy(stage, pairs);
  const marks = pairs.map(markOf);
  for (const { source } of pairs) source.start(rate);
  await delay(BEFORE_MS);
  await Promise.all(pairs.map((pair) => untilFlowing(pair)));

  const beganMs = Date.now();
  const end = await fault.begin({ stage, pairs });
  await delay(Math.max(0, fault.lastsMs - (Date.now() - beganMs)));
  const ending = end();
  await ending;
  const backMs = Date.now();

  const recovered = await Promise.all(pairs.map((pair) => firstArrival(pair, backMs)));
  await delay(AFTER_MS);
  await Promise.all(pairs.map(({ source }) => source.pause()));
  await Promise.all(
    pairs.map((pair, index) => untilAllThere(pair, marks[index] as Mark, fault.quietMs ?? QUIET_MS)),
  );
  const healed = await Promise.all(pairs.map((pair) => isHealed(stage, pair)));
  return Promise.all(
    pairs.map(async (pair, index) =>
      rowOf(fault, pair, {
        mark: marks[index] as Mark,
        said: watch.since(pair.taskId, beganMs),
        isHealed: healed[index] === true,
        deadLetters: await countDeadLetters(stage, pair),
        ...{ beganMs, backMs, perSecond: rate, recoveredMs: recovered[index] },
      }),
    ),
  );
}

function rowOf(
  fault: Fault,
  pair: Pair,
  seen: {
    mark: Mark;
    said: ReturnType<StatusWatch['since']>;
    isHealed: boolean;
    deadLetters: number;
    beganMs: number;
    backMs: number;
    perSecond: number;
    recoveredMs: number | undefined;
  },
): FaultRow {
  const { said, beganMs, backMs, recoveredMs } = seen;
  const counts = compareSince(pair, seen.mark);
  const isHeldUp = (fault.holdsUp ?? fault.degrades).includes(pair.name);
  const firstDegraded = said.find(({ status, atMs }) => status === 'degraded' && atMs > beganMs);
  const degradedMs = firstDegraded === undefined ? undefined : firstDegraded.atMs - beganMs;
  const bar = fault.recoversMs ?? RECOVERY_MS[pair.path];
  const missed = [
    ...(counts.lost > 0 ? [`${counts.lost} lost`] : []),
    ...(counts.changed > 0 ? [`${counts.changed} changed`] : []),
    ...(pair.isOrdered && counts.outOfOrder > 0 ? [`${counts.outOfOrder} groups out of order`] : []),
    ...(seen.deadLetters > 0 ? [`${seen.deadLetters} dead letters`] : []),
    ...(recoveredMs === undefined ? ['never recovered'] : []),
    ...(recoveredMs !== undefined && recoveredMs > bar
      ? [`recovered after ${seconds(recoveredMs)}, not ${seconds(bar)}`]
      : []),
    ...(fault.degrades.includes(pair.name) && (degradedMs ?? Number.POSITIVE_INFINITY) > DEGRADED_MS
      ? [
          degradedMs === undefined
            ? 'never degraded'
            : `degraded after ${seconds(degradedMs)}, not ${seconds(DEGRADED_MS)}`,
        ]
      : []),
    ...(seen.isHealed ? [] : ['not running in the end']),
  ];
  return {
    fault: fault.name,
    pair: pair.name,
    perSecond: seen.perSecond,
    ...counts,
    isOrdered: pair.isOrdered,
    ...(isHeldUp && recoveredMs !== undefined ? { recoveredMs } : {}),
    allThereMs: pair.arrivals.lastAtMs() - backMs,
    said: describeSaid(said, beganMs),
    ...(degradedMs === undefined ? {} : { degradedMs }),
    deadLetters: seen.deadLetters,
    missed,
  };
}

async function untilHealthy(stage: FaultStage, pairs: readonly Pair[]): Promise<void> {
  for (const pair of pairs) {
    if (!(await isHealed(stage, pair)))
      throw new Error(`${pair.name} is not running: nothing more can be tried`);
  }
}

async function isHealed(stage: FaultStage, { taskId }: Pair): Promise<boolean> {
  return eventually(
    async () => (await stage.getTask(taskId)).status,
    (status) => status === 'running',
    { timeoutMs: HEALED_MS, what: `${taskId} is running` },
  ).then(
    () => true,
    () => false,
  );
}

async function untilFlowing({ name, arrivals }: Pair): Promise<void> {
  await eventually(
    async () => Date.now() - arrivals.lastAtMs(),
    (ageMs) => ageMs < 1_000,
    { timeoutMs: FLOWS_MS, everyMs: 20, what: `messages flow: ${name}` },
  );
}

/** Ms from the part's being back to the first message that arrives then; undefined: none did. */
async function firstArrival({ arrivals, name }: Pair, backMs: number): Promise<number | undefined> {
  const first = () => Math.min(...arrivals.times.slice(-LOOKED_AT).filter((atMs) => atMs >= backMs));
  return eventually(async () => first(), Number.isFinite, {
    timeoutMs: RECOVERED_MS,
    everyMs: 100,
    what: `messages arrive again: ${name}`,
  }).then(
    (atMs) => atMs - backMs,
    () => undefined,
  );
}

/** As long as some still come: on a slow machine what has gathered takes its time. Then the rest is lost, and the row says so. */
async function untilAllThere(pair: Pair, mark: Mark, quietMs: number): Promise<void> {
  const { sent } = pair.source;
  let from = mark.sent;
  let quietSinceMs = Date.now();
  let arrived = -1;
  await eventually(
    async () => {
      const { hashes } = pair.arrivals.witness;
      while (from < sent.length && hashes.has(sent[from]?.number ?? -1)) from += 1;
      if (hashes.size > arrived) {
        arrived = hashes.size;
        quietSinceMs = Date.now();
      }
      return from === sent.length || Date.now() - quietSinceMs > quietMs;
    },
    Boolean,
    { timeoutMs: ALL_THERE_MS, everyMs: 50, what: `all of ${pair.name} arrive` },
  );
}

async function countDeadLetters(stage: FaultStage, { taskId, consumerGroup }: Pair): Promise<number> {
  const { items } = await stage.deadLetters.list(taskId, { limit: 100 });
  return items.length + (consumerGroup === undefined ? 0 : await stage.countGivenUp(consumerGroup));
}

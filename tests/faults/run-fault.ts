import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../helpers/eventually.ts';
import type { Fault } from './fault.ts';
import { type MemoryRow, memoryRowOf, watchMemory } from './memory-watch.ts';
import type { Pair, PairName } from './pairs.ts';
import { missedPromises, recoveryBarMs, STOPPED_MS } from './promises.ts';
import {
  compareSince,
  degradedAfterMs,
  describeReconnects,
  describeSaid,
  type FaultRow,
  lastArrivalMs,
  type Mark,
  markOf,
  runningInVainMs,
  standstill,
} from './row.ts';
import type { FaultStage } from './stage.ts';
import type { StatusWatch } from './status-watch.ts';

const BEFORE_MS = 3_000;
const AFTER_MS = 4_000;
const FLOWS_MS = 60_000;
const SENT_MS = 5 * 60_000;
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

/** What one fault has shown. */
export interface FaultSeen {
  /** One of each pair. */
  rows: FaultRow[];
  /** Of the functions that it watches. */
  memory: MemoryRow[];
}

/** Lets all pairs work, makes something go wrong, and looks what came of each message. */
export async function runFault(fault: Fault, options: RunOptions): Promise<FaultSeen> {
  const { stage, pairs } = options;
  const perSecondOf = ({ name, mostPerSecond = Number.POSITIVE_INFINITY }: Pair) => {
    const { perSecond = options.perSecond, mostPerSecond: most = {} } = fault;
    return Math.min(perSecond, mostPerSecond, most[name] ?? Number.POSITIVE_INFINITY);
  };
  await untilHealthy(stage, pairs);
  const before = await Promise.all(
    pairs.map(async (pair) => ({ mark: markOf(pair), ...(await countGivenUp(stage, pair)) })),
  );
  for (const pair of pairs) pair.source.start(perSecondOf(pair), fault.messages);
  await delay(BEFORE_MS);
  await Promise.all(pairs.map((pair) => untilFlowing(pair)));

  const { beganMs, endedMs, backAtMs, againAtMs, memory, told, missed } = await strike(fault, options);
  const backOf = ({ name }: Pair) => backAtMs.get(name) ?? endedMs;
  const sentByThen = pairs.map(({ source }) => source.sent.length);

  const recovered = await Promise.all(pairs.map((pair) => firstArrival(pair, backOf(pair))));
  await delay(AFTER_MS);
  await Promise.all(pairs.map((pair, index) => untilSent(pair, before[index]?.mark, fault.messages)));
  await Promise.all(pairs.map(({ source }) => source.pause()));
  await Promise.all(pairs.map((pair, index) => untilAllThere(pair, before[index]?.mark, fault.quietMs)));
  const rows = await Promise.all(
    pairs.map(async (pair, index) => {
      const { mark, ...givenUpBefore } = before[index] ?? { mark: markOf(pair), deadLetters: 0, givenUp: 0 };
      return rowOf(fault, pair, {
        ...{ mark, beganMs, backMs: backOf(pair), perSecond: perSecondOf(pair), givenUpBefore },
        againAtMs: againAtMs.get(pair.name) ?? [],
        isHealed: await isHealed(stage, pair),
        said: options.watch.since(pair.taskId, beganMs),
        givenUp: await countGivenUp(stage, pair),
        sentByThen: sentByThen[index] ?? 0,
        recoveredMs: recovered[index],
        ...{ told: told.get(pair.name) ?? [], missed: missed.get(pair.name) ?? [] },
      });
    }),
  );
  return { rows, memory };
}

/** From its beginning to its end. */
async function strike(fault: Fault, { stage, pairs }: RunOptions) {
  const { watchesMemory = [] } = fault;
  const told = new Map<PairName, string[]>();
  const missed = new Map<PairName, string[]>();
  const backAtMs = new Map<PairName, number>();
  const againAtMs = new Map<PairName, number[]>();
  const watching = watchMemory(watchesMemory, stage.processesOf);
  let beganMs = Date.now();
  const end = await fault.begin({
    stage,
    pairs,
    strikes() {
      beganMs = Date.now();
    },
    strikesAgain(pair) {
      const atMs = Date.now();
      backAtMs.set(pair, atMs);
      note(againAtMs, pair, atMs);
    },
    isBack(pair) {
      backAtMs.set(pair, Date.now());
    },
    tell: (pair, what) => note(told, pair, what),
    miss: (pair, what) => note(missed, pair, what),
  });
  await delay(Math.max(0, fault.lastsMs - (Date.now() - beganMs)));
  await end();
  const endedMs = Date.now();
  const samples = await watching.end();
  const memory = watchesMemory.map((path) => memoryRowOf(fault.name, path, samples.get(path) ?? []));
  return { beganMs, endedMs, backAtMs, againAtMs, memory, told, missed };
}

function note<T>(notes: Map<PairName, T[]>, pair: PairName, what: T): void {
  notes.set(pair, [...(notes.get(pair) ?? []), what]);
}

interface GivenUp {
  deadLetters: number;
  givenUp: number;
}

function rowOf(
  fault: Fault,
  pair: Pair,
  seen: {
    mark: Mark;
    said: ReturnType<StatusWatch['since']>;
    isHealed: boolean;
    givenUpBefore: GivenUp;
    givenUp: GivenUp;
    beganMs: number;
    backMs: number;
    /** When it went wrong once more. */
    againAtMs: readonly number[];
    perSecond: number;
    /** How many the source had sent when the part was back. */
    sentByThen: number;
    recoveredMs: number | undefined;
    /** What the fault itself has heard, and what it found missed. */
    told: readonly string[];
    missed: readonly string[];
  },
): FaultRow {
  const { said, beganMs, backMs, mark } = seen;
  const { name, path, source, arrivals, isOrdered } = pair;
  const stood = standstill(arrivals.times, { fromMs: beganMs, toMs: arrivals.lastAtMs() });
  // Of what takes no time of its own, such as a kill, the first arrivals are of before it: for whom it stops it is over when the
  // standstill is.
  const isStopped = (fault.stops ?? fault.degrades).includes(name);
  const stoodAfter = standstill(arrivals.times, { fromMs: backMs, toMs: arrivals.lastAtMs() });
  const isAfterwards = isStopped && fault.lastsMs === 0 && stoodAfter.lastedMs >= STOPPED_MS;
  const recoveredMs =
    isAfterwards && seen.recoveredMs !== undefined ? stoodAfter.endedAtMs - backMs : seen.recoveredMs;
  const isHeldUp = (fault.holdsUp ?? fault.degrades).includes(name);
  const degradedMs = degradedAfterMs(said, arrivals.times, beganMs);
  const row = {
    ...{ fault: fault.name, pair: name, perSecond: seen.perSecond, isOrdered },
    ...compareSince(pair, mark),
    ...(degradedMs === undefined ? {} : { degradedMs }),
    ...(isHeldUp && recoveredMs !== undefined ? { recoveredMs } : {}),
    recoveryBarMs: recoveryBarMs(fault, path, backMs - beganMs),
    ...(fault.returnsMs?.[path] === undefined
      ? {}
      : { inHandMs: lastArrivalMs(arrivals, source.sent.slice(mark.sent, seen.sentByThen), backMs) }),
    allThereMs: arrivals.lastAtMs() - backMs,
    said: [describeSaid(said, beganMs), ...seen.told, ...describeReconnects(pair, mark)].join('; '),
    deadLetters: seen.givenUp.deadLetters - seen.givenUpBefore.deadLetters,
    givenUp: seen.givenUp.givenUp - seen.givenUpBefore.givenUp,
  };
  const untilMs = backMs + (recoveredMs ?? RECOVERED_MS);
  const missed = missedPromises(fault, row, {
    ...{ name, path, recoveredMs },
    stalledMs: arrivals.longestGap(beganMs, untilMs),
    stoodStillMs: stood.lastedMs,
    runningInVainMs: runningInVainMs(said, arrivals, { beganMs, untilMs, againAtMs: seen.againAtMs }),
    isHealed: seen.isHealed,
  });
  return { ...row, missed: [...missed, ...seen.missed] };
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

/** Where the fault wants so many messages, and no more. */
async function untilSent(
  { name, source }: Pair,
  mark: Mark | undefined,
  messages: number | undefined,
): Promise<void> {
  if (messages === undefined) return;
  await eventually(
    async () => source.sent.length - (mark?.sent ?? 0),
    (sent) => sent >= messages,
    { timeoutMs: SENT_MS, everyMs: 50, what: `${messages} are sent: ${name}` },
  );
}

/** As long as some still come: on a slow machine what has gathered takes its time. Then the rest is lost, and the row says so. */
export async function untilAllThere(pair: Pair, mark?: Mark, quietMs = QUIET_MS): Promise<void> {
  const { sent } = pair.source;
  let from = mark?.sent ?? 0;
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

/** Since ever: dead letters of the task, and what RocketMQ itself gave up. */
async function countGivenUp(stage: FaultStage, { taskId, consumerGroup }: Pair): Promise<GivenUp> {
  const { items } = await stage.deadLetters.list(taskId, { limit: 100 });
  const givenUp = consumerGroup === undefined ? 0 : await stage.countGivenUp(consumerGroup);
  return { deadLetters: items.length, givenUp };
}

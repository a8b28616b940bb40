import { SHIFT_KINDS, type ShiftKind } from '../../lib/ports/shifts.ts';
import { badInputTrial, MAX_PACKET_BYTES } from './bad-input.ts';
import { freezeTrial } from './freeze.ts';
import { handOverTrial } from './hand-over.ts';
import { killTrial } from './kill.ts';
import { manyTasksTrial } from './many-tasks.ts';
import { outageTrial } from './outage.ts';
import type { Row } from './rows.ts';
import { openStage, type Stage } from './stage.ts';

const PER_SECOND = 300;

/**
 * A broker that keeps what comes while nobody is connected, 20 s of a lease and more; and what the trial's own reader has not
 * taken yet when much comes at once.
 */
const ROOMY = { maxQueueSize: 100_000 };
const kills = { kills: 3, perSecond: PER_SECOND };
/** 200 a second for 30 s: more than HiveMQ's own queue of 1,000 holds. */
const outages = { perSecond: 200, outageMs: 30_000 };
const handOvers = { handOvers: 20, perSecond: PER_SECOND };

/** The long ones, by the name that `npm run trials` takes. */
export const TRIALS: Readonly<Record<string, () => Promise<Row[]>>> = {
  kill: () =>
    onStage((stage) => inTurn((kind) => killTrial(stage, { ...kills, kind, isOrdered: false })), ROOMY),
  'kill-ordered': () =>
    onStage((stage) => inTurn((kind) => killTrial(stage, { ...kills, kind, isOrdered: true })), ROOMY),
  'hand-over': () =>
    onStage(
      (stage) => eachKind((kind) => handOverTrial(stage, { ...handOvers, kind, isOrdered: false })),
      ROOMY,
    ),
  'hand-over-ordered': () =>
    onStage(
      (stage) => eachKind((kind) => handOverTrial(stage, { ...handOvers, kind, isOrdered: true })),
      ROOMY,
    ),
  freeze: () =>
    onStage(
      (stage) => eachKind((kind) => freezeTrial(stage, { kind, perSecond: PER_SECOND, isOrdered: false })),
      ROOMY,
    ),
  'freeze-ordered': () =>
    onStage(
      (stage) => eachKind((kind) => freezeTrial(stage, { kind, perSecond: PER_SECOND, isOrdered: true })),
      ROOMY,
    ),
  'rocketmq-frozen': () =>
    onStage((stage) => outageTrial(stage, { ...outages, kind: 'session', how: 'freeze' })),
  'rocketmq-killed': () =>
    onStage((stage) => outageTrial(stage, { ...outages, kind: 'session', how: 'kill' })),
  'mqtt-frozen': () => onStage((stage) => outageTrial(stage, { ...outages, kind: 'pull', how: 'freeze' })),
  'mqtt-killed': () => onStage((stage) => outageTrial(stage, { ...outages, kind: 'pull', how: 'kill' })),
  'bad-input': () => onStage(badInputTrial, { maxPacketBytes: MAX_PACKET_BYTES }),
  'many-tasks': () => onStage(manyTasksTrial),
};

async function onStage(
  trial: (stage: Stage) => Promise<Row[]>,
  options: Parameters<typeof openStage>[0] = {},
): Promise<Row[]> {
  const stage = await openStage(options);
  try {
    return await trial(stage);
  } finally {
    await stage.close();
  }
}

/** One direction after the other: `npm run shift` works for both. */
async function inTurn(trial: (kind: ShiftKind) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of SHIFT_KINDS) rows.push(...(await trial(kind)));
  return rows;
}

/** Both directions side by side. */
async function eachKind(trial: (kind: ShiftKind) => Promise<Row[]>): Promise<Row[]> {
  return (await Promise.all(SHIFT_KINDS.map(trial))).flat();
}

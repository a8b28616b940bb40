import { setTimeout as delay } from 'node:timers/promises';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { deploy } from '../../../local/deploy.ts';
import type { Fault, FaultContext } from '../fault.ts';
import { PAIR_NAMES } from '../pairs.ts';
import {
  goOn,
  killAll,
  RETURNS_MS,
  SHIFT_DEGRADED_MS,
  SHIFT_PAIRS,
  SHIFT_RECOVERS_MS,
  signal,
} from './processes.ts';

/** Promises are kept at this rate too for what takes a part away altogether. */
const FAST = 500;
const KILLS = 5;
const KILL_EVERY_MS = 1_000;
const STOLEN_MS = 10_000;
/** Less than an invocation may last: it goes on. */
const FREEZE_BATCH_MS = 20_000;
const FREEZE_SHIFT_MS = 40_000;
/** What a killed invocation held comes again after its queue's visibility timeout. */
const RULE_QUIET_MS = 200_000;

const FUNCTIONS_KILLED: Fault = {
  name: 'functions-killed',
  what: `every process of the batching function is killed (SIGKILL), ${KILLS} times, and then those of both shifts, in the middle of their streams`,
  lastsMs: 0,
  // The visibility timeout.
  costsMs: 185_000,
  degrades: SHIFT_PAIRS,
  degradesMs: SHIFT_DEGRADED_MS,
  holdsUp: PAIR_NAMES,
  recoversMs: SHIFT_RECOVERS_MS,
  returnsMs: RETURNS_MS,
  quietMs: RULE_QUIET_MS,
  async begin({ stage, strikes }) {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await signal(stage, 'rule', 'SIGKILL');
      if (kill < KILLS) await delay(KILL_EVERY_MS);
    }
    strikes();
    await Promise.all([killAll(stage, 'session'), killAll(stage, 'pull')]);
    return async () => undefined;
  },
};

/** The processes of the functions, their leases and their deployment. */
export const FUNCTION_FAULTS: readonly Fault[] = [
  FUNCTIONS_KILLED,
  {
    name: 'functions-frozen',
    what: `the processes of both shifts are stopped for ${FREEZE_SHIFT_MS / 1_000} s, longer than their leases, those of the batching function for ${FREEZE_BATCH_MS / 1_000} s, and go on`,
    lastsMs: FREEZE_SHIFT_MS,
    degrades: SHIFT_PAIRS,
    degradesMs: SHIFT_DEGRADED_MS,
    holdsUp: PAIR_NAMES,
    recoversMs: SHIFT_RECOVERS_MS,
    quietMs: RULE_QUIET_MS,
    async begin({ stage }) {
      const [batches, ...shifts] = await Promise.all(
        (['rule', 'session', 'pull'] as const).map((path) => signal(stage, path, 'SIGSTOP')),
      );
      await delay(FREEZE_BATCH_MS);
      goOn(batches ?? []);
      return async () => goOn(shifts.flat());
    },
  },
  {
    name: 'lease-stolen',
    what: `somebody else takes the leases of all lanes for ${STOLEN_MS / 1_000} s`,
    lastsMs: STOLEN_MS,
    degrades: [],
    holdsUp: SHIFT_PAIRS,
    stops: SHIFT_PAIRS,
    // A shift looks again at a lane that another holds after 5 s.
    recoversMs: 10_000,
    async begin({ stage, pairs }) {
      for (const { taskId, path } of pairs) if (path !== 'rule') await stealLane(stage, taskId);
      return async () => undefined;
    },
  },
  {
    name: 'deployment',
    what: 'the service is deployed again (`serverless deploy`) under traffic',
    lastsMs: 0,
    costsMs: 240_000,
    isLong: true,
    degrades: [],
    holdsUp: PAIR_NAMES,
    recoversMs: 30_000,
    quietMs: RULE_QUIET_MS,
    async begin({ stage }) {
      await deploy({ aws: stage.stack.aws, logs: stage.stack.layout.deploy });
      await stage.leadThroughRelays();
      return async () => undefined;
    },
  },
];

/** At five times the rate. Only with `--long`: what has gathered takes its time. */
export const FAST_FUNCTION_FAULTS: readonly Fault[] = [
  {
    ...FUNCTIONS_KILLED,
    name: `${FUNCTIONS_KILLED.name}-fast`,
    perSecond: FAST,
    // What all of them had in hand is among what has gathered.
    returnsMs: { rule: RETURNS_MS.rule },
    isLong: true,
  },
];

async function stealLane({ table }: FaultContext['stage'], taskId: string): Promise<void> {
  await table.documents.send(
    new UpdateCommand({
      TableName: table.tableName,
      Key: { PK: `TASK#${taskId}`, SK: 'LANE#00' },
      ConditionExpression: 'attribute_exists(PK)',
      UpdateExpression: 'SET #owner = :thief, expiresAtMs = :end ADD epoch :one',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':thief': 'a thief', ':end': Date.now() + STOLEN_MS, ':one': 1 },
    }),
  );
}

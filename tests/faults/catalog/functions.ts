import { setTimeout as delay } from 'node:timers/promises';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { deploy } from '../../../local/deploy.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Fault, FaultContext } from '../fault.ts';
import { PAIR_NAMES, type PairName, type PairPath } from '../pairs.ts';
import { type FaultStage, relayTable } from '../stage.ts';

const FREEZE_MS = 40_000;
const KILLS = 5;
const KILL_EVERY_MS = 1_000;
const STOLEN_MS = 10_000;
/** What a killed invocation held comes again after its queue's visibility timeout. */
const RULE_QUIET_MS = 200_000;
/** The lease of a killed shift, and the minute of its schedule. */
const SHIFT_RECOVERS_MS = 85_000;

const PULL_PAIRS = ['rocketmq → mqtt', 'rocketmq → aws-iot'] as const;
const SESSION_PAIRS = ['mqtt → rocketmq'] as const;

/** The processes of the functions, their leases and their deployment. */
export const FUNCTION_FAULTS: readonly Fault[] = [
  {
    name: 'function-killed',
    what: `every process of the batching function is killed (SIGKILL), ${KILLS} times`,
    lastsMs: 0,
    degrades: [],
    holdsUp: ['aws-iot → rocketmq'],
    recoversMs: 185_000,
    quietMs: RULE_QUIET_MS,
    async begin({ stage }) {
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await signal(stage, 'rule', 'SIGKILL');
        await delay(KILL_EVERY_MS);
      }
      return async () => undefined;
    },
  },
  killedShift('session', SESSION_PAIRS),
  killedShift('pull', PULL_PAIRS),
  frozen('rule', 'the batching function', []),
  frozen('session', 'the session shift', SESSION_PAIRS),
  frozen('pull', 'the pull shift', PULL_PAIRS),
  {
    name: 'lease-stolen',
    what: `somebody else takes the leases of all lanes for ${STOLEN_MS / 1_000} s`,
    lastsMs: STOLEN_MS,
    degrades: [],
    holdsUp: [...SESSION_PAIRS, ...PULL_PAIRS],
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
    degrades: [],
    holdsUp: PAIR_NAMES,
    recoversMs: 30_000,
    quietMs: RULE_QUIET_MS,
    async begin({ stage }) {
      await deploy({ aws: stage.stack.aws, logs: stage.stack.layout.deploy });
      await relayTable(stage.stack, stage.relays.table);
      return async () => undefined;
    },
  },
];

function killedShift(path: Exclude<PairPath, 'rule'>, pairs: readonly PairName[]): Fault {
  return {
    name: `${path}-shift-killed`,
    what: `the process of the ${path} shift is killed (SIGKILL) in the middle of its stream`,
    lastsMs: 0,
    degrades: [],
    holdsUp: pairs,
    recoversMs: SHIFT_RECOVERS_MS,
    quietMs: SHIFT_RECOVERS_MS,
    async begin({ stage }) {
      await signal(stage, path, 'SIGKILL');
      return async () => undefined;
    },
  };
}

function frozen(path: PairPath, whose: string, pairs: readonly PairName[]): Fault {
  return {
    name: `${path}-frozen`,
    what: `the process of ${whose} is stopped for ${FREEZE_MS / 1_000} s, longer than its lease, and goes on`,
    lastsMs: FREEZE_MS,
    degrades: [],
    holdsUp: pairs,
    recoversMs: path === 'rule' ? 185_000 : SHIFT_RECOVERS_MS,
    quietMs: RULE_QUIET_MS,
    async begin({ stage }) {
      const pids = await signal(stage, path, 'SIGSTOP');
      return async () => {
        for (const pid of pids) process.kill(pid, 'SIGCONT');
      };
    },
  };
}

/** Signals every process of the function; there must be one. */
async function signal(stage: FaultStage, path: PairPath, name: NodeJS.Signals): Promise<number[]> {
  const pids = await eventually(
    () => stage.processesOf(path),
    (found) => found.length > 0,
    { timeoutMs: 30_000, everyMs: 20, what: `a process of the ${path} path works` },
  );
  for (const pid of pids) process.kill(pid, name);
  return pids;
}

async function stealLane({ table }: FaultContext['stage'], taskId: string): Promise<void> {
  await table.documents.send(
    new UpdateCommand({
      TableName: table.tableName,
      Key: { PK: `TASK#${taskId}`, SK: 'LANE#00' },
      UpdateExpression: 'SET #owner = :thief, expiresAtMs = :end ADD epoch :one',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':thief': 'a thief', ':end': Date.now() + STOLEN_MS, ':one': 1 },
    }),
  );
}

import { INVISIBLE_MS } from '../../../lib/replication/pull-path/held-messages.ts';
import { SHIFT_TIMES } from '../../../lib/replication/shifts/shift-times.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { PairPath } from '../pairs.ts';
import type { FaultStage } from '../stage.ts';

/** A schedule comes each minute, whoever else starts one before. */
const WORKS_MS = 120_000;
const GONE_MS = 10_000;

/** Those whose messages shifts carry. */
export const SHIFT_PAIRS = ['mqtt → rocketmq', 'rocketmq → mqtt', 'rocketmq → aws-iot'] as const;

/** A shift that was ended by force is replaced within 10 s of its lease's end; the new one connects, and what it held is let go. */
export const SHIFT_RECOVERS_MS = SHIFT_TIMES.leaseMs + 20_000;
/** A read derives it from the lease. */
export const SHIFT_DEGRADED_MS = SHIFT_TIMES.leaseMs + 5_000;
/** What a killed process held: the visibility timeout of its queue, the invisible time of its messages. */
export const RETURNS_MS = { rule: 185_000, pull: INVISIBLE_MS + 10_000 } as const;

/** Signals every process of the function; there must be one. */
export async function signal(
  stage: Pick<FaultStage, 'processesOf'>,
  path: PairPath,
  name: NodeJS.Signals,
): Promise<number[]> {
  const pids = await eventually(
    () => stage.processesOf(path),
    (found) => found.length > 0,
    { timeoutMs: WORKS_MS, everyMs: 20, what: `a process of the ${path} path works` },
  );
  return pids.filter((pid) => send(pid, name));
}

/** Kills every process of the function, and resolves when they are gone: what comes then is another's doing. */
export async function killAll(stage: Pick<FaultStage, 'processesOf'>, path: PairPath): Promise<void> {
  const killed = await signal(stage, path, 'SIGKILL');
  await eventually(
    async () => (await stage.processesOf(path)).filter((pid) => killed.includes(pid)),
    (left) => left.length === 0,
    { timeoutMs: GONE_MS, everyMs: 20, what: `the killed processes of the ${path} path are gone` },
  );
}

/** Wakes those that are still there: meanwhile some may have been ended for their slowness. */
export function goOn(pids: readonly number[]): void {
  for (const pid of pids) send(pid, 'SIGCONT');
}

function send(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

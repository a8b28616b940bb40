import { eventually } from '../../helpers/eventually.ts';
import type { Fault, FaultContext } from '../fault.ts';
import type { PairName } from '../pairs.ts';
import { killAll, SHIFT_DEGRADED_MS, SHIFT_PAIRS, SHIFT_RECOVERS_MS } from './processes.ts';

/** More than the 16 deliveries after which RocketMQ takes a message away from a group of its own making. */
const SHIFTS = 20;
/** A killed shift's lease ends, another shift begins, and what is held is given out again. */
const ROUND_MS = 40_000;
const NEXT_SHIFT_MS = 120_000;

/** Shifts that die of one message. Only with `--long`. */
export const TWENTY_SHIFTS: Fault = {
  name: 'twenty-shifts-killed',
  what: `${SHIFTS} shifts of the pull path and ${SHIFTS} of the session path are killed (SIGKILL) one after the other, each while it holds the same message: that one is never acknowledged to whom it came from`,
  lastsMs: 0,
  costsMs: SHIFTS * ROUND_MS,
  // Hardly any shift comes to more than that one message: the others wait at their source.
  perSecond: 20,
  degrades: SHIFT_PAIRS,
  degradesMs: SHIFT_DEGRADED_MS,
  recoversMs: SHIFT_RECOVERS_MS,
  quietMs: 2 * 60_000,
  isLong: true,
  async begin(context) {
    await Promise.all([killSessionShifts(context), killPullShifts(context)]);
    return async () => undefined;
  },
};

async function killPullShifts(context: FaultContext): Promise<void> {
  const { iot } = context.stage.relays;
  iot.begin();
  await killEach(context, {
    path: 'pull',
    pair: 'rocketmq → aws-iot',
    deliveries: () => iot.attempts,
  });
  iot.end();
}

async function killSessionShifts(context: FaultContext): Promise<void> {
  const { stage, pairs } = context;
  const { hold, relays } = stage;
  const taskId = pairs.find(({ path }) => path === 'session')?.taskId;
  hold.begin(`mqferry-${taskId}-0`);
  // From its next connection on it can be told what the shift is sent.
  relays.mqtt.reset();
  relays.mqtt.heal();
  await killEach(context, {
    path: 'session',
    pair: 'mqtt → rocketmq',
    deliveries: () => hold.deliveries,
  });
  hold.end();
}

/** Kills a shift as soon as it has been given the message once more, again and again. */
async function killEach(
  { stage, pairs, miss, strikesAgain }: FaultContext,
  { path, pair, deliveries }: { path: 'pull' | 'session'; pair: PairName; deliveries(): number },
): Promise<void> {
  const struck = pairs.filter((each) => each.path === path);
  for (let shift = 1; shift <= SHIFTS; shift += 1) {
    const before = deliveries();
    if (!(await isGiven(deliveries, before))) {
      miss(pair, `only ${shift - 1} shifts were given the same message`);
      return;
    }
    await killAll(stage, path);
    for (const { name } of struck) strikesAgain(name);
  }
}

async function isGiven(deliveries: () => number, before: number): Promise<boolean> {
  return eventually(
    async () => deliveries(),
    (now) => now > before,
    { timeoutMs: NEXT_SHIFT_MS, everyMs: 10, what: 'the next shift is given the message' },
  ).then(
    () => true,
    () => false,
  );
}

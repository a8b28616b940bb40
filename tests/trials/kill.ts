import type { ShiftKind } from '../../lib/ports/shifts.ts';
import type { ShiftTimes } from '../../lib/replication/shifts/shift-times.ts';
import { eventually } from '../helpers/eventually.ts';
import { openDirection } from './direction.ts';
import { createRows, type Row, spread } from './rows.ts';
import type { Stage } from './stage.ts';
import { compare } from './streams.ts';
import { startShiftProcess, startWorker, type Worker } from './workers.ts';

/** Messages between one kill and the next. */
const BETWEEN_KILLS_MS = 4_000;
/** What a killed pull lane held comes again after 30 s. */
const ALL_THERE_MS = 75_000;
const TAKEN_OVER_MS = 60_000;

/**
 * The shift that works is killed with SIGKILL in the middle of its stream, several times; a second one stands by. Lost: none.
 *
 * @param options.times - absent: `npm run shift` as it is, with its own times
 */
export async function killTrial(
  stage: Stage,
  options: {
    kind: ShiftKind;
    kills: number;
    perSecond: number;
    isOrdered: boolean;
    times?: Partial<ShiftTimes>;
  },
): Promise<Row[]> {
  const { kind, kills, isOrdered, times } = options;
  const table = createRows(`kill -9, ${kind}${isOrdered ? ', ordered' : ''}`);
  const direction = await openDirection(stage, options);
  const { taskId, source, arrivals } = direction;
  const begin = () =>
    times === undefined
      ? startShiftProcess(stage.environment())
      : startWorker(stage.environment(), { kind, tickMs: 200, times });
  const workers: Worker[] = [await begin()];
  const stalls: number[] = [];

  async function workerAtWork(): Promise<Worker> {
    const lane = await eventually(
      async () => (await stage.leases.list(taskId))[0],
      (found) => workers.some(({ pid }) => isOf(found?.owner, pid)),
      { timeoutMs: TAKEN_OVER_MS, everyMs: 50, what: 'another shift takes the lane' },
    );
    const worker = workers.find(({ pid }) => isOf(lane?.owner, pid));
    if (worker === undefined) throw new Error('nobody works');
    return worker;
  }

  try {
    await stage.statusIs(taskId, 'running');
    workers.push(await begin());
    for (let kill = 1; kill <= kills; kill += 1) {
      await source.run(BETWEEN_KILLS_MS);
      const worker = await workerAtWork();
      const stream = source.run(BETWEEN_KILLS_MS);
      await eventually(
        async () => Date.now() - arrivals.lastAtMs(),
        (ageMs) => ageMs < 100,
        { timeoutMs: TAKEN_OVER_MS, everyMs: 5, what: 'messages flow' },
      );
      await worker.kill();
      const killedAtMs = Date.now();
      workers.splice(workers.indexOf(worker), 1);
      await workerAtWork();
      workers.push(await begin());
      await stream;
      await eventually(
        async () => arrivals.lastAtMs() - killedAtMs,
        (ms) => ms > 1_000,
        { timeoutMs: TAKEN_OVER_MS, everyMs: 50, what: 'messages arrive again' },
      );
      stalls.push(arrivals.longestGap(killedAtMs, arrivals.lastAtMs()));
    }
    await source.run(BETWEEN_KILLS_MS);
    await arrivals.all(source.sent.length, ALL_THERE_MS);
    compare(table, direction.expected(), arrivals, isOrdered);
    table.tell('without an arrival after a kill', spread(stalls));
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await direction.close();
  }
  return table.rows;
}

/** Owners of workers begin with the process id; those of the process have it second. */
function isOf(owner: string | undefined, pid: number): boolean {
  return owner !== undefined && (owner.startsWith(`${pid} `) || owner.includes(`-${pid}-`));
}

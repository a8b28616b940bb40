import { setTimeout as delay } from 'node:timers/promises';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import type { ShiftTimes } from '../../lib/replication/shifts/shift-times.ts';
import { openDirection } from './direction.ts';
import { createRows, type Row, spread } from './rows.ts';
import type { Stage } from './stage.ts';
import { compare } from './streams.ts';
import { startMqttTap } from './tap.ts';
import { startWorker } from './workers.ts';

/** A function's quarter of an hour in a few seconds; what a hand-over itself consists of keeps its times. */
const SHIFT_MS = 16_000;
const TIMES: Partial<ShiftTimes> = { handOverBeforeMs: 8_000, standbyBeforeMs: 6_000, renewMs: 1_500 };
const GAP_MS = 2_000;
const LOOK_MS = 20;
const SETTLE_MS = 3_000;
/** Brokers that were just started stand still for a second or two by themselves: what is measured is how it goes on. */
const WARM_UP_MS = 40_000;
/** A gap is looked for around the moment at which the lease changed hands. */
const AROUND_MS = 4_000;
const ALL_THERE_MS = 60_000;

/** Two sandboxes that tick as the schedule does: one works, the other waits for it. Under traffic, so many hand-overs. */
export async function handOverTrial(
  stage: Stage,
  options: {
    kind: ShiftKind;
    handOvers: number;
    perSecond: number;
    isOrdered: boolean;
    gapBarMs?: number;
    warmUpMs?: number;
  },
): Promise<Row[]> {
  const { kind, handOvers, isOrdered, gapBarMs = GAP_MS, warmUpMs = WARM_UP_MS } = options;
  const table = createRows(`${handOvers} hand-overs, ${kind}${isOrdered ? ', ordered' : ''}`);
  const tap = await startMqttTap(stage.mqtt.url);
  const { username, password } = stage.mqtt;
  const mqttCluster = `tap-${tap.port}`;
  await stage.putMqttCluster(mqttCluster, tap.url, { username, password });
  const direction = await openDirection(stage, { ...options, mqttCluster });
  const { taskId, source, arrivals } = direction;
  const settings = { kind, shiftMs: SHIFT_MS, tickMs: 500, times: TIMES };
  const workers = await Promise.all([1, 2].map(() => startWorker(stage.environment(), settings)));
  const changes: { atMs: number; owner: string }[] = [];
  let isOver = false;

  async function watchLease(): Promise<void> {
    while (!isOver) {
      const [lane] = await stage.leases.list(taskId);
      if (lane?.owner !== undefined && lane.owner !== changes.at(-1)?.owner) {
        changes.push({ atMs: Date.now(), owner: lane.owner });
      }
      await delay(LOOK_MS);
    }
  }

  const watching = watchLease();
  try {
    await stage.statusIs(taskId, 'running');
    await source.run(warmUpMs);
    changes.splice(0, changes.length - 1);
    while (changes.length <= handOvers) await source.run(1_000);
    await source.run(SETTLE_MS);
    await arrivals.all(source.sent.length, ALL_THERE_MS);
    compare(table, direction.expected(), arrivals, isOrdered);
    const gaps = changes
      .slice(1, handOvers + 1)
      .map(({ atMs }) =>
        arrivals.longestGap(atMs - AROUND_MS, Math.min(atMs + AROUND_MS, arrivals.lastAtMs())),
      );
    table.tell('gap in arrivals around each', spread(gaps));
    table.atMost('longest gap', gapBarMs, Math.max(...gaps), 'ms');
    const clientId = `mqferry-${taskId}-${kind === 'pull' ? 'p0' : '0'}`;
    table.none('two owners at work at a time', tap.overlaps(clientId));
    table.tell('connections of the lane', tap.connectionsOf(clientId).length);
  } finally {
    isOver = true;
    await watching;
    await Promise.all(workers.map((worker) => worker.kill()));
    await direction.close();
    await tap.close();
  }
  return table.rows;
}

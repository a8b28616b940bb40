import { setTimeout as delay } from 'node:timers/promises';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import { SHIFT_TIMES, type ShiftTimes } from '../../lib/replication/shifts/shift-times.ts';
import { eventually } from '../helpers/eventually.ts';
import { openDirection } from './direction.ts';
import { createRows, type Row } from './rows.ts';
import type { Stage } from './stage.ts';
import { compare } from './streams.ts';
import { startMqttTap } from './tap.ts';
import { startWorker } from './workers.ts';

const STREAM_MS = 4_000;
/** What the frozen shift held comes to the other one within this. */
const ALL_THERE_MS = 75_000;
const TAKEN_OVER_MS = 40_000;
/** So long after it wakes one looks at what it does. */
const AWAKE_MS = 6_000;
/** By this the clock of the owner may be ahead of the table's, and a packet under way. */
const BEYOND_LEASE_MS = 1_000;

/**
 * Two shifts that both believe they own a task: the one at work is frozen in the middle of its stream, beyond its lease; another
 * takes over; the first wakes. When all has arrived before it wakes, whatever comes after is its doing.
 */
export async function freezeTrial(
  stage: Stage,
  options: { kind: ShiftKind; perSecond: number; isOrdered: boolean; times?: Partial<ShiftTimes> },
): Promise<Row[]> {
  const { kind, isOrdered, times = {} } = options;
  const { leaseMs } = { ...SHIFT_TIMES, ...times };
  const table = createRows(`frozen, ${kind}${isOrdered ? ', ordered' : ''}`);
  const tap = await startMqttTap(stage.mqtt.url);
  const { username, password } = stage.mqtt;
  const mqttCluster = `tap-${tap.port}`;
  await stage.putMqttCluster(mqttCluster, tap.url, { username, password });
  const direction = await openDirection(stage, { ...options, mqttCluster });
  const { taskId, source, arrivals } = direction;
  const settings = { kind, tickMs: 200, times };
  const first = await startWorker(stage.environment(), settings);
  await stage.statusIs(taskId, 'running');
  const second = await startWorker(stage.environment(), settings);
  const ownerOf = async () => (await stage.leases.list(taskId))[0]?.owner ?? '';
  try {
    await source.run(STREAM_MS);
    // More than it can be done with at once: it is frozen with its hands full.
    const stream = source.burst(options.perSecond * 4).then(() => source.run(STREAM_MS));
    await eventually(
      async () => Date.now() - arrivals.lastAtMs(),
      (ageMs) => ageMs < 50,
      { timeoutMs: TAKEN_OVER_MS, everyMs: 5, what: 'messages flow' },
    );
    first.freeze();
    const frozenAtMs = Date.now();
    await eventually(ownerOf, (owner) => owner.startsWith(`${second.pid} `), {
      timeoutMs: TAKEN_OVER_MS,
      everyMs: 50,
      what: 'the second shift takes over',
    });
    table.tell('taken over after', `${Date.now() - frozenAtMs} ms (lease ${leaseMs} ms)`);
    await stream;
    await arrivals.all(source.sent.length, ALL_THERE_MS);
    const before = { arrived: arrivals.witness.hashes.size, duplicates: arrivals.witness.duplicates };
    table.tell('duplicates before it wakes', before.duplicates);
    first.thaw();
    // Under traffic too: it must not meddle with what the other one does.
    await source.run(AWAKE_MS);
    await arrivals.all(source.sent.length, ALL_THERE_MS);
    await delay(AWAKE_MS);
    const clientId = `mqferry-${taskId}-${kind === 'pull' ? 'p0' : '0'}`;
    const connections = tap.connectionsOf(clientId);
    const [own] = connections;
    const workedMs = (own?.work?.lastAtMs ?? 0) - frozenAtMs;
    table.atMost('last packet of the frozen one, after it froze', leaseMs + BEYOND_LEASE_MS, workedMs, 'ms');
    table.none('two owners at work at a time', tap.overlaps(clientId));
    table.expect('connections of the lane', '2', connections.length, connections.length === 2);
    const again = arrivals.witness.duplicates - before.duplicates;
    table.expect('duplicates after it woke', '0', again, again === 0);
    const owner = await ownerOf();
    table.expect(
      'owner at the end',
      'the second',
      owner.startsWith(`${second.pid} `) ? 'the second' : owner,
      owner.startsWith(`${second.pid} `),
    );
    compare(table, direction.expected(), arrivals, isOrdered);
  } finally {
    await Promise.all([first.kill(), second.kill()]);
    await direction.close();
    await tap.close();
  }
  return table.rows;
}

/**
 * `npm run soak [minutes]`: one long-lived shift process carries 500 messages a second each way, for 30 minutes unless told otherwise.
 * Its memory, open handles and connections must stay, and every message arrive as it was. Fails when a promise is missed. After 30 minutes
 * or more what was seen is written into `docs/faults.md`.
 */
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOCAL_DIR, PROJECT_DIR } from '../../local/layout.ts';
import { startAws } from '../../local/parts/aws.ts';
import { openHandles, residentMb } from '../faults/function-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { writeSection } from '../helpers/written-section.ts';
import { createRows, describeRows, markdownRows, type Rows } from '../trials/rows.ts';
import { openStage, type Stage } from '../trials/stage.ts';
import { startShiftProcess, type Worker } from '../trials/workers.ts';
import { openPullStream, openSessionStream, type Stream } from './streams.ts';
import { perMinute, type Sample } from './trend.ts';

const MINUTE_MS = 60_000;
const PER_SECOND = 500;
const SAMPLE_MS = 5_000;
/** Until caches are full and the compiler is done: a sixth of the time. */
const WARM_UP_SHARE = 1 / 6;
/** A leak of one message's record in a hundred would be seen. */
const BARS = { residentMbPerMinute: 0.5, handlesPerMinute: 0.1 };
const ALL_THERE_MS = 120_000;
const QUEUE_SIZE = 100_000;
/** Slower than wanted, it would be another trial. */
const LEAST_SHARE = 0.95;
/** A shorter run shows that the trial works. */
const WHOLE_MINUTES = 30;

const minutes = Number(process.argv[2] ?? 30);
const lastsMs = minutes * MINUTE_MS;
const say = (text: string) => process.stdout.write(`${text}\n`);

const aws = await startAws({ home: path.join(LOCAL_DIR, 'test', 'soak-aws') });
process.env.AWS_ENDPOINT_URL = aws.endpoint;
const rows = createRows(`soak of ${minutes} minutes`);
try {
  const stage = await openStage({ maxQueueSize: QUEUE_SIZE });
  try {
    await soak(stage, rows);
  } finally {
    await stage.close();
  }
} finally {
  await aws.process.stop();
}
const missed = rows.rows.filter(({ isGood }) => !isGood);
if (minutes >= WHOLE_MINUTES) {
  const seen = `Seen on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} processors.`;
  const file = path.join(PROJECT_DIR, 'docs', 'faults.md');
  await writeSection(file, 'soak', `${seen}\n\n${markdownRows(rows.rows)}`);
}
say(`\n${describeRows(rows.rows)}\n\n${rows.rows.length} lines, ${missed.length} missed`);
process.exit(missed.length === 0 ? 0 : 1);

async function soak(stage: Stage, table: Rows): Promise<void> {
  const most = Math.ceil((lastsMs / 1_000) * PER_SECOND) + PER_SECOND;
  const streams = await Promise.all([openSessionStream(stage, most), openPullStream(stage, most)]);
  const worker = await startShiftProcess(stage.environment());
  try {
    await Promise.all(streams.map(({ taskId }) => stage.statusIs(taskId, 'running')));
    const sampling = takeSamples(worker);
    await Promise.all(streams.map((stream) => stream.run(PER_SECOND, lastsMs)));
    const samples = await sampling.end();
    for (const stream of streams) await tellArrivals(stream, table);
    tellTrend(samples, table);
  } finally {
    await worker.stop();
    await Promise.all(streams.map((stream) => stream.close()));
  }
}

function takeSamples({ pid }: Worker) {
  const samples: Sample[] = [];
  const beganMs = Date.now();
  const stop = new AbortController();
  const sampling = (async () => {
    while (!stop.signal.aborted) {
      const [memory, handles] = await Promise.all([residentMb(pid), openHandles(pid)]);
      if (memory === undefined || handles === undefined) throw new Error('the shift has ended');
      samples.push({ atMs: Date.now() - beganMs, residentMb: memory, handles });
      // Woken by the end.
      await delay(SAMPLE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return {
    async end(): Promise<Sample[]> {
      stop.abort();
      await sampling;
      return samples;
    },
  };
}

async function tellArrivals({ name, tally, sent }: Stream, table: Rows): Promise<void> {
  await eventually(
    async () => tally.arrived,
    (arrived) => arrived >= sent(),
    { timeoutMs: ALL_THERE_MS, what: 'all arrive' },
    // The row below says how many did not.
  ).catch(() => undefined);
  const wanted = Math.floor((lastsMs / 1_000) * PER_SECOND * LEAST_SHARE);
  table.expect(`${name}: sent`, `≥ ${wanted}`, sent(), sent() >= wanted);
  table.expect(`${name}: lost`, '0', sent() - tally.arrived, tally.arrived === sent());
  table.expect(`${name}: changed`, '0', tally.changed, tally.changed === 0);
  table.tell(`${name}: duplicates`, tally.duplicates);
}

function tellTrend(samples: readonly Sample[], table: Rows): void {
  const warm = samples.filter(({ atMs }) => atMs >= lastsMs * WARM_UP_SHARE);
  const memory = warm.map((sample) => sample.residentMb);
  const handles = warm.map((sample) => sample.handles);
  table.tell(
    'resident memory',
    `${Math.round(Math.min(...memory))} to ${Math.round(Math.max(...memory))} MiB`,
  );
  table.atMost(
    'resident memory gains per minute',
    BARS.residentMbPerMinute,
    perMinute(warm, (sample) => sample.residentMb),
    'MiB',
  );
  table.tell('open handles, connections among them', `${Math.min(...handles)} to ${Math.max(...handles)}`);
  table.atMost(
    'open handles gain per minute',
    BARS.handlesPerMinute,
    perMinute(warm, (sample) => sample.handles),
    '',
  );
}

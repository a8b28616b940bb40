import { setTimeout as delay } from 'node:timers/promises';
import { perMinute, type Sample } from '../soak/trend.ts';
import { openHandles, residentMb } from './function-processes.ts';
import type { PairPath } from './pairs.ts';

/** One look at one process of a function. */
export interface ProcessSample extends Sample {
  pid: number;
}

/** What became of a function's memory in one fault. */
export interface MemoryRow {
  fault: string;
  path: PairPath;
  /** Those of the process that was seen longest, once it was warm. */
  leastMb: number;
  mostMb: number;
  gainsMbPerMinute: number;
  leastHandles: number;
  mostHandles: number;
  watchedMs: number;
  /** Promises that were missed, in words. */
  missed: string[];
}

const SAMPLE_MS = 5_000;
/** Until caches are full, the compiler is done, and what may be held is held. */
const WARM_UP_MS = 100_000;
/** A shift lasts 14 minutes: of 10, one of two is seen for 5 at least. */
const LEAST_WATCHED_MS = 180_000;
/** Whoever kept the suite's 100 messages a second would gain 1.6 in their bodies alone, and several times that with all else. */
const MOST_MB_PER_MINUTE = 1;

/** Looks at the processes of functions until it is ended. */
export function watchMemory(
  paths: readonly PairPath[],
  processesOf: (path: PairPath) => Promise<number[]>,
): { end(): Promise<ReadonlyMap<PairPath, readonly ProcessSample[]>> } {
  const samples = new Map<PairPath, ProcessSample[]>(paths.map((path) => [path, []]));
  const beganMs = Date.now();
  const stop = new AbortController();

  async function look(path: PairPath): Promise<void> {
    for (const pid of await processesOf(path)) {
      const [memory, handles] = await Promise.all([residentMb(pid), openHandles(pid)]);
      // It has ended meanwhile: the next one is another process.
      if (memory === undefined || handles === undefined) continue;
      samples.get(path)?.push({ pid, atMs: Date.now() - beganMs, residentMb: memory, handles });
    }
  }

  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      await Promise.all(paths.map(look));
      // Woken by the end.
      await delay(SAMPLE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const watching = watch();
  // Told by `end`: until then it is nobody's.
  watching.catch(() => undefined);

  return {
    async end() {
      stop.abort();
      await watching;
      return samples;
    },
  };
}

/** Whether a function's memory has stayed, by the process that was seen longest. */
export function memoryRowOf(fault: string, path: PairPath, samples: readonly ProcessSample[]): MemoryRow {
  const byProcess = [...Map.groupBy(samples, ({ pid }) => pid).values()];
  const [longest = []] = byProcess.toSorted((one, other) => other.length - one.length);
  const warmAtMs = (longest[0]?.atMs ?? 0) + WARM_UP_MS;
  const warm = longest.filter(({ atMs }) => atMs >= warmAtMs);
  const watchedMs = (warm.at(-1)?.atMs ?? 0) - (warm[0]?.atMs ?? 0);
  const memory = warm.map((sample) => sample.residentMb);
  const handles = warm.map((sample) => sample.handles);
  const gainsMbPerMinute = perMinute(warm, (sample) => sample.residentMb);
  const isLong = watchedMs >= LEAST_WATCHED_MS;
  return {
    ...{ fault, path, watchedMs, gainsMbPerMinute },
    ...{ leastMb: Math.min(...memory), mostMb: Math.max(...memory) },
    ...{ leastHandles: Math.min(...handles), mostHandles: Math.max(...handles) },
    missed: [
      ...(isLong ? [] : ['no process was seen for long enough']),
      ...(isLong && gainsMbPerMinute > MOST_MB_PER_MINUTE
        ? [`gained ${gainsMbPerMinute.toFixed(2)} MiB a minute, not ${MOST_MB_PER_MINUTE}`]
        : []),
    ],
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from '../../lib/domain/tasks/task.ts';

/** What a task said of itself, from when on. */
export interface Said {
  atMs: number;
  status: string;
  code?: string;
}

export interface StatusWatch {
  /** Changes since then, and what it said before. */
  since(taskId: string, atMs: number): Said[];
  close(): Promise<void>;
}

/** Seldom enough for the emulator, which has all the rest to do. */
const EVERY_MS = 500;
/** One takes up to 9 s. */
const MOST_FAILURES = 10;

/** Reads tasks again and again, as the API does. */
export function watchStatus(
  getTask: (taskId: string) => Promise<Task>,
  taskIds: readonly string[],
): StatusWatch {
  const said = new Map<string, Said[]>(taskIds.map((taskId) => [taskId, []]));
  let isClosed = false;

  async function look(taskId: string): Promise<void> {
    const { status, reason } = await getTask(taskId);
    const seen = said.get(taskId);
    const last = seen?.at(-1);
    if (last?.status === status && last.code === reason?.code) return;
    const nowMs = Date.now();
    // The reason says since when, unless it is said once more; otherwise it is known to half a second.
    const sinceMs = reason === undefined ? nowMs : Date.parse(reason.at);
    const atMs = sinceMs > (last?.atMs ?? 0) ? sinceMs : nowMs;
    seen?.push({ atMs, status, ...(reason === undefined ? {} : { code: reason.code }) });
  }

  async function watch(): Promise<void> {
    let failures = 0;
    while (!isClosed) {
      try {
        await Promise.all(taskIds.map(look));
        failures = 0;
      } catch (error) {
        // The emulator is one process with all else, and may be late; for good, nothing can be said of the faults.
        failures += 1;
        if (failures === MOST_FAILURES) throw error;
      }
      await delay(EVERY_MS);
    }
  }
  const watching = watch();
  // Told by `close`: until then it is nobody's.
  watching.catch(() => undefined);

  return {
    since(taskId, atMs) {
      const all = said.get(taskId) ?? [];
      const first = all.findLastIndex((one) => one.atMs <= atMs);
      return all.slice(Math.max(0, first));
    },
    async close() {
      isClosed = true;
      await watching;
    },
  };
}

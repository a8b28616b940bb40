import type { Logger } from '../ports/logger.ts';

const LOG_EVERY_MS = 60_000;

/** What became of the messages of one lane since its last line. Payload sizes in bytes. */
export interface LaneCounts {
  /** Messages met for the first time; overlap copies are none. */
  consumed: number;
  replicated: number;
  filtered: number;
  loopSkipped: number;
  expired: number;
  /** Copies that another filter of the task brought too; neither consumed nor in the identity. */
  overlap: number;
  /** Put into the task's own queue, where the batching function counts on. */
  overflowed: number;
  /** Handed over as dead letters, by code. */
  failed: Record<string, number>;
  /** Later receipts, and sendings again. */
  retried: number;
  /** Payload bytes of what was replicated. */
  bytes: number;
}

/** Counts of a lane, told to the log once a minute at most. */
export interface LaneTally {
  readonly counts: LaneCounts;
  /** Epoch ms at which the target last took a message of this lane; 0: not yet. */
  lastStoredAtMs: number;
  /** Writes a line when the last one is a minute old and there is something to tell. */
  tell(nowMs: number): void;
  /** Writes what is left. */
  close(nowMs: number): void;
}

export function createLaneTally(ids: { taskId: string; lane: number }, logger: Logger): LaneTally {
  let counts = newCounts();
  let toldAtMs: number | undefined;

  function write(nowMs: number): void {
    toldAtMs = nowMs;
    if (isEmpty(counts)) return;
    logger.info('session lane', { ...ids, ...counts });
    counts = newCounts();
  }

  return {
    get counts() {
      return counts;
    },
    lastStoredAtMs: 0,
    tell(nowMs) {
      toldAtMs ??= nowMs;
      if (nowMs - toldAtMs >= LOG_EVERY_MS) write(nowMs);
    },
    close: write,
  };
}

function newCounts(): LaneCounts {
  return {
    consumed: 0,
    replicated: 0,
    filtered: 0,
    loopSkipped: 0,
    expired: 0,
    overlap: 0,
    overflowed: 0,
    failed: {},
    retried: 0,
    bytes: 0,
  };
}

function isEmpty({ failed, ...numbers }: LaneCounts): boolean {
  return Object.keys(failed).length === 0 && Object.values(numbers).every((count) => count === 0);
}

import type { Counted } from '../../domain/figures/counted.ts';
import { type Latencies, newLatencies } from '../../domain/figures/latency.ts';
import type { Logger } from '../../ports/logger.ts';
import type { FigureMeter } from '../figures/figure-meter.ts';
import { createSharedCounts } from '../figures/shared-counts.ts';

const LOG_EVERY_MS = 60_000;

/** What became of the messages of one lane since its last line. Payload sizes in bytes. */
export interface LaneCounts {
  /** Messages met for the first time; overlap copies are none. */
  consumed: number;
  replicated: number;
  filtered: number;
  loopSkipped: number;
  expired: number;
  /** Copies that another filter of the task brought too, at their first receipt; neither consumed nor in the identity. */
  overlap: number;
  /** Put into the task's own queue, where the batching function counts on. */
  overflowed: number;
  /** Handed over as dead letters, by code. */
  failed: Record<string, number>;
  /** Later receipts, and sendings again. */
  retried: number;
  /** Payload bytes of what was replicated. */
  bytes: number;
  /** From our receipt of a message until RocketMQ had stored it: MQTT tells no other time. */
  latencies: Latencies;
}

/** A copy is one that another filter has brought: at its first receipt; whatever is received again is just that. */
export type ReceiptKind = 'first' | 'copy' | 'again';
const COUNTED_AS = { first: 'consumed', copy: 'overlap', again: 'retried' } as const;

/** Counts of a lane, told to the log once a minute at most. */
export interface LaneTally {
  readonly counts: LaneCounts;
  /** Epoch ms at which the target last took a message of this lane; 0: not yet. */
  lastStoredAtMs: number;
  /** What was counted since it was asked last, for the metrics; the log is told by itself. */
  take(): Counted;
  /** The same for the figures. */
  takeFigures(): LaneCounts;
  /** A message was handed over by the session; to be told before anything else is counted for it. */
  received(atMs: number, kind: ReceiptKind): void;
  /** Writes a line when the last one is a minute old and there is something to tell. */
  tell(nowMs: number): void;
  /** Writes what is left. */
  close(nowMs: number): void;
}

/** @param options.figures - asked for when there is something to tell them */
export function createLaneTally(
  ids: { taskId: string; lane: number },
  { logger, figures }: { logger: Logger; figures: () => Pick<FigureMeter, 'received'> },
): LaneTally {
  const { counts, reader } = createSharedCounts(newCounts);
  const untold = reader();
  let toldAtMs: number | undefined;

  function write(nowMs: number): void {
    toldAtMs = nowMs;
    const { latencies: _, ...fields } = untold();
    if (!isEmpty(fields)) logger.info('session lane', { ...ids, ...fields });
  }

  return {
    counts,
    lastStoredAtMs: 0,
    take: reader(),
    takeFigures: reader(),
    received(atMs, kind) {
      figures().received(atMs);
      counts[COUNTED_AS[kind]] += 1;
    },
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
    latencies: newLatencies(),
  };
}

function isEmpty({ failed, ...numbers }: Omit<LaneCounts, 'latencies'>): boolean {
  return Object.keys(failed).length === 0 && Object.values(numbers).every((count) => count === 0);
}

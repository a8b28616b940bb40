import { type Latencies, newLatencies } from '../../domain/figures/latency.ts';

/** What became of the records of one task in one batch. Payload sizes in bytes, times in milliseconds. */
export interface BatchCounts {
  taskId: string;
  /** The task wants metrics of its own. */
  perTask: boolean;
  /** Records of this batch. */
  records: number;
  /** Source messages met for the first time; overlap copies are none. */
  consumed: number;
  replicated: number;
  filtered: number;
  loopSkipped: number;
  /** Told by another message of the same device (`options.presence`). */
  deduplicated: number;
  /** Older than it or its task allows. */
  expired: number;
  /** Copies that a lower-numbered rule of the task carries too; neither consumed nor in the identity. */
  overlap: number;
  /** First receipts of an earlier batch that turned out to be of copies. */
  takenBack: number;
  /** Of nobody's: in no figure. */
  canaries: number;
  /** Handed over as dead letters, by code. */
  failed: Record<string, number>;
  /** Given back to the queue, by code. */
  returned: Record<string, number>;
  /** Later receipts, and sendings again inside the function. */
  retried: number;
  /** Payload bytes of what was replicated. */
  bytes: number;
  /** From the source's time of a message until RocketMQ had stored it; redriven ones are left out. */
  latencies: Latencies;
  /** How long ago the oldest of the records was put into the queue. */
  oldestAgeMs: number;
  ms: number;
}

export type Skipped = 'filtered' | 'loopSkipped' | 'deduplicated' | 'expired' | 'overlap';

export function newBatchCounts(taskId: string, records: number): BatchCounts {
  return {
    taskId,
    perTask: false,
    records,
    consumed: 0,
    replicated: 0,
    filtered: 0,
    loopSkipped: 0,
    deduplicated: 0,
    expired: 0,
    overlap: 0,
    takenBack: 0,
    canaries: 0,
    failed: {},
    returned: {},
    retried: 0,
    bytes: 0,
    latencies: newLatencies(),
    oldestAgeMs: 0,
    ms: 0,
  };
}

/** A code whose count has gone back to nothing is not listed. */
export function countCode(byCode: Record<string, number>, code: string, change = 1): void {
  const count = (byCode[code] ?? 0) + change;
  if (count === 0) delete byCode[code];
  else byCode[code] = count;
}

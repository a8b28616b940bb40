import { addCounted } from '../../domain/figures/counted.ts';
import { type Latencies, newLatencies } from '../../domain/figures/latency.ts';
import { createSharedCounts } from '../figures/shared-counts.ts';

/** What became of the messages of one pull lane. */
export interface PullCounts {
  /** Received for the first time, as the cluster counts. */
  consumed: number;
  replicated: number;
  expired: number;
  loopSkipped: number;
  /** Born before the task wanted to start; neither consumed nor in the identity. */
  skipped: number;
  /** Dead letters, by code. */
  failed: Record<string, number>;
  /** Later receipts, and publishing again. */
  retried: number;
  /** Acknowledged too late: a redelivery is certain. */
  lapsed: number;
  /** Payload bytes of what was replicated. */
  bytes: number;
  /** From a message's birth in RocketMQ until the MQTT side had taken it. */
  latencies: Latencies;
}

export function newPullCounts(): PullCounts {
  return {
    consumed: 0,
    replicated: 0,
    expired: 0,
    loopSkipped: 0,
    skipped: 0,
    failed: {},
    retried: 0,
    lapsed: 0,
    bytes: 0,
    latencies: newLatencies(),
  };
}

/** Counts of a lane, of which some was taken before its end. */
export interface PullTally {
  /** What is not shared out yet; the same object all the time. */
  readonly counts: PullCounts;
  /** What was counted since it was asked last, for the metrics. */
  take(): PullCounts;
  /** The same for the figures. */
  takeFigures(): PullCounts;
  /** Since the lane was opened, for the log. */
  total(): Omit<PullCounts, 'latencies'>;
}

export function createPullTally(): PullTally {
  const { counts, reader } = createSharedCounts(newPullCounts);
  const untold = reader();
  const total = newPullCounts();

  return {
    counts,
    take: reader(),
    takeFigures: reader(),
    total() {
      addCounted(total, untold());
      const { latencies: _, ...told } = structuredClone(total);
      return told;
    },
  };
}
